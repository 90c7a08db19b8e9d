"""Bilingual files for translation tools: XLIFF 2.0 and TMX 1.4b. Inline codes are elements without content."""

import re
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape, quoteattr

from connectors.formats.bilingual.pairs import Bilingual, Pair
from schemas.coded_text import ISOLATED, is_closing, is_opening, number_of, pieces_of, renumbered

# What XML 1.0 cannot hold at all.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Readers of XML take a return for a line end.
_RETURN = {"\r": "&#13;"}
_PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'


def xliff(document: Bilingual) -> Iterator[str]:
    """Write XLIFF 2.0: a unit for each, whose segment is `initial` where a sentence has no translation."""
    languages = f"srcLang={_quoted(document.source_language)} trgLang={_quoted(document.target_language)}"
    yield f'{_PROLOGUE}<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" {languages}>\n'
    yield f'<file id="f1" original={_quoted(document.file_name)}>\n'
    for number, pair in enumerate(document.pairs, 1):
        state = "translated" if pair.is_whole else "initial"
        source, target = _counted(pair, _xliff_code)
        yield (
            f'<unit id="u{number}" name={_quoted(pair.place)}><segment state="{state}">'
            f'<source xml:space="preserve">{source}</source><target xml:space="preserve">{target}</target>'
            "</segment></unit>\n"
        )
    yield "</file>\n</xliff>\n"


def tmx(document: Bilingual) -> Iterator[str]:
    """Write TMX 1.4b: what has a whole translation, as a translation memory holds nothing else."""
    source, target = _quoted(document.source_language), _quoted(document.target_language)
    yield (
        f'{_PROLOGUE}<tmx version="1.4">\n<header creationtool="Dragoman" creationtoolversion="1" '
        f'segtype="paragraph" o-tmf="Dragoman" adminlang="en" srclang={source} datatype="unknown"/>\n<body>\n'
    )
    for pair in document.pairs:
        if pair.is_whole:
            first, second = _counted(pair, _tmx_code)
            yield (
                f"<tu><tuv xml:lang={source}><seg>{first}</seg></tuv>"
                f"<tuv xml:lang={target}><seg>{second}</seg></tuv></tu>\n"
            )
    yield "</body>\n</tmx>\n"


def _counted(pair: Pair, code: Callable[[str, int], str]) -> tuple[str, str]:
    """Return both texts with their codes counted from 1, in the order of the source."""
    ids = {number: at for at, number in enumerate(renumbered(pair.source).numbers, 1)}

    def written(coded: str) -> str:
        return "".join(
            code(piece, ids.get(number_of(piece), 0)) if is_code else escape(_NOT_XML.sub("", piece), _RETURN)
            for piece, is_code in pieces_of(coded)
        )

    return written(pair.source), written(pair.target)


def _xliff_code(code: str, number: int) -> str:
    if is_closing(code):
        return "</pc>"
    return f'<pc id="{number}">' if is_opening(code) else f'<ph id="{number}"/>'


def _tmx_code(code: str, number: int) -> str:
    if ord(code) >= ISOLATED:
        return f'<ph x="{number}"/>'
    return f'<{"bpt" if is_opening(code) else "ept"} i="{number}"/>'


def _quoted(value: str) -> str:
    return quoteattr(_NOT_XML.sub("", value))

"""Read and write the entries of a glossary as CSV (RFC 4180), TSV, or TBX (ISO 30042). Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

from connectors.formats.xml_tree import Element, XmlFile
from schemas.errors import PermanentError
from schemas.languages import LanguagePair, parse_language
from stream_apps.glossaries.changes import check_text
from stream_apps.glossaries.limits import GlossaryLimits

MEDIA_TYPES = {"text/csv": "csv", "text/tab-separated-values": "tsv", "application/x-tbx": "tbx"}
FORMATS = tuple(MEDIA_TYPES.values())
_HEADER = ("source", "target")
_TBX_ENTRIES = ("termEntry", "conceptEntry")
_TBX_LANGUAGES = ("langSet", "langSec")
_DEEPEST = 32
_TBX = """<?xml version="1.0" encoding="UTF-8"?>
<tbx type="TBX-Basic" style="dca" xml:lang="{source}" xmlns="urn:iso:std:iso:30042:ed-2"><text><body>
{entries}
</body></text></tbx>
"""
_TBX_ENTRY = (
    '<conceptEntry id="c{number}"><langSec xml:lang="{source}"><termSec><term>{term}</term></termSec></langSec>'
    '<langSec xml:lang="{target}"><termSec><term>{translation}</term></termSec></langSec></conceptEntry>'
)


class _Row(NamedTuple):
    """An entry, and where it stands."""

    place: str
    term: str
    translation: str


def parsed(content: bytes, form: str, pair: LanguagePair, limits: GlossaryLimits) -> dict[str, str]:
    """Return the entries in a file. Raises PermanentError naming the line or the entry of the first mistake."""
    read = _READERS.get(form)
    if read is None:
        raise PermanentError(
            "bad_format",
            f"the format is {form[:40]!r}",
            field="entries_format",
            limit=", ".join(FORMATS),
            cure="send one of these",
        )
    entries: dict[str, str] = {}
    for row in read(content, pair):
        term, translation = row.term.strip(), row.translation.strip()
        check_text(term, row.place, "source", limits)
        check_text(translation, row.place, "target", limits)
        if entries.setdefault(term, translation) != translation:
            raise _wrong(f"{row.place}: the source was there before, with another target", "each source once")
    return entries


def written(entries: Mapping[str, str], form: str, pair: LanguagePair) -> str:
    """Return the entries as a file, by the term."""
    rows = sorted(entries.items())
    if form == "tbx":
        return _tbx_of(rows, pair)
    output = io.StringIO()
    if form == "csv":
        csv.writer(output).writerows(rows)
    else:
        output.writelines(f"{term}\t{translation}\n" for term, translation in rows)
    return output.getvalue()


def _csv_rows(content: bytes, pair: LanguagePair) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(_text_of(content), newline=""), strict=True)
    try:
        for cells in reader:
            yield from _row(f"line {reader.line_num}", cells, pair, is_first=reader.line_num == 1)
    except csv.Error as error:
        raise _wrong(f"line {reader.line_num}: {error}", "CSV as in RFC 4180, in UTF-8") from None


def _tsv_rows(content: bytes, pair: LanguagePair) -> Iterator[_Row]:
    for number, line in enumerate(_text_of(content).split("\n"), 1):
        cells = line.rstrip("\r").split("\t") if line.strip() else []
        yield from _row(f"line {number}", cells, pair, is_first=number == 1)


def _row(place: str, cells: list[str], pair: LanguagePair, *, is_first: bool) -> Iterator[_Row]:
    """Yield the entry of a line; none for an empty line, and for a heading `source, target`."""
    is_heading = is_first and tuple(cell.strip().lower() for cell in cells[:2]) == _HEADER
    if not any(cells) or is_heading:
        return
    languages = [_primary(cell) for cell in cells[2:]]
    if len(cells) < len(_HEADER) or languages not in ([], [_primary(pair.source), _primary(pair.target)]):
        limit = f"source and target, and behind them nothing or {pair.source} and {pair.target}"
        raise _wrong(f"{place}: there are {len(cells)} columns", limit)
    yield _Row(place, *cells[:2])


def _tbx_rows(content: bytes, pair: LanguagePair) -> Iterator[_Row]:
    try:
        root = XmlFile(content, _DEEPEST).root
    except PermanentError as error:
        raise _wrong(error.message, "TBX (ISO 30042), well-formed and without a DOCTYPE") from None
    found = (one for one in root.walk() if _local(one) in _TBX_ENTRIES)
    for number, entry in enumerate(found, 1):
        terms = {language: _terms(entry, language) for language in (pair.source, pair.target)}
        # A termbase has more languages than two, and not every entry has all of them.
        for term in terms[pair.source] if terms[pair.target] else ():
            yield _Row(f"entry {number}", term, terms[pair.target][0])


def _terms(entry: Element, language: str) -> list[str]:
    wanted = parse_language(language, "language").language
    sections = [one for one in entry.walk() if _local(one) in _TBX_LANGUAGES and _language_of(one) == wanted]
    return [one.text().strip() for section in sections for one in section.walk() if _local(one) == "term"]


def _local(element: Element) -> str:
    """Return the name without its namespace: versions of TBX differ in it."""
    return element.name.rpartition(":")[2]


def _language_of(section: Element) -> str:
    return _primary(section.attributes.get("xml:lang", ""))


def _primary(tag: str) -> str:
    """Return the language of a tag as its author wrote it, without script and region."""
    return tag.strip().replace("_", "-").partition("-")[0].lower()


def _tbx_of(rows: Iterable[tuple[str, str]], pair: LanguagePair) -> str:
    entries = "\n".join(
        _TBX_ENTRY.format(
            number=number,
            source=pair.source,
            target=pair.target,
            term=escape(term),
            translation=escape(translation),
        )
        for number, (term, translation) in enumerate(rows, 1)
    )
    return _TBX.format(source=pair.source, entries=entries)


def _text_of(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _wrong(f"line {line}: byte {error.start} is no UTF-8", "UTF-8") from None


def _wrong(message: str, limit: str) -> PermanentError:
    return PermanentError("bad_entries", message, field="entries", limit=limit, cure="correct the file")


_READERS: Mapping[str, Callable[[bytes, LanguagePair], Iterator[_Row]]] = {
    "csv": _csv_rows,
    "tsv": _tsv_rows,
    "tbx": _tbx_rows,
}

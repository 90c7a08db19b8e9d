"""Marked-up text that is no file: the fragments of HTML and XML that requests hold.

Attributes that readers see are units of HTML, wherever their tags stand; those of XML are left alone.

In XML any element may be anything. One that stands beside words is part of their sentence, others part sentences.
A request may say otherwise by `splitting_tags`, `non_splitting_tags` and `ignore_tags`, or that only the tags that
it names part sentences (`outline_detection`: 0).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from connectors.formats.markup.html_elements import INLINE, LABELLED, OPAQUE
from connectors.formats.markup.html_tokens import What, tokens
from connectors.formats.markup.inline_units import Rules, units_in
from connectors.formats.markup.seen_attributes import seen_attributes
from connectors.formats.splicing import Found
from schemas.coded_text import MOST_CODES, detagged
from schemas.errors import PermanentError
from schemas.markup import IGNORE_TAGS, MARKUP, NON_SPLITTING_TAGS, OUTLINE_DETECTION, SPLITTING_TAGS

_NOTHING: frozenset[str] = frozenset()
# What XML knows without a DTD is text.
_FOREIGN_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});)[A-Za-z_][\w.-]*;")
_XML = Rules(
    void=_NOTHING,
    breaks=_NOTHING,
    raw=_NOTHING,
    opaque=_NOTHING,
    labelled=_NOTHING,
    collapses=False,
    entity=_FOREIGN_ENTITY,
)


def fragments(text: str, content_type: str, settings: Mapping[str, str]) -> list[Found]:
    """Find the units of a marked-up text. Raises PermanentError where one has too many codes."""
    try:
        if MARKUP[content_type] == "html":
            units = units_in(text, html_rules(settings), partial(seen_attributes, text))
        else:
            units = units_in(text, _xml_rules(text, settings))
        return sorted((one for one in units if isinstance(one, Found)), key=lambda one: (one.start, -one.end))
    except PermanentError as error:
        raise PermanentError(
            "too_much_markup",
            error.message,
            field="text",
            limit=f"{MOST_CODES} tags between two that part sentences",
            cure="send it in several texts",
        ) from None


def words_in(found: Iterable[Found]) -> str:
    """Return what there is to read in the units, a line for each."""
    return "\n".join(detagged(one.coded.text) for one in found)


def html_rules(settings: Mapping[str, str]) -> Rules:
    """Return what the elements of HTML are, with what a request says of some."""
    ignored = _named(settings, IGNORE_TAGS)
    inline = (INLINE | ignored | _named(settings, NON_SPLITTING_TAGS)) - _named(settings, SPLITTING_TAGS)
    return Rules(is_inline=inline.__contains__, opaque=OPAQUE | ignored, labelled=LABELLED - ignored)


def _xml_rules(text: str, settings: Mapping[str, str]) -> Rules:
    splitting, ignored = _named(settings, SPLITTING_TAGS), _named(settings, IGNORE_TAGS)
    blocks = splitting
    if settings.get(OUTLINE_DETECTION) != "0":
        among_words = set(_among_words(text)) | _named(settings, NON_SPLITTING_TAGS) | ignored
        blocks |= {token.name for token in tokens(text, _NOTHING) if token.name} - among_words
    return replace(_XML, is_inline=lambda name: name not in blocks, opaque=ignored)


def _among_words(text: str) -> Iterator[str]:
    """Yield the names of elements that stand right beside words, somewhere in the text."""
    inside: list[tuple[str, set[str], bool]] = [("", set(), False)]
    for token in tokens(text, _NOTHING):
        name, elements, has_words = inside[-1]
        if token.what is What.TEXT and text[token.start : token.end].strip():
            inside[-1] = name, elements, True
        elif token.what is What.START:
            elements.add(token.name)
            if not text[token.start : token.end].endswith("/>"):
                inside.append((token.name, set(), False))
        elif token.what is What.END and len(inside) > 1:
            inside.pop()
            yield from elements if has_words else ()
    for _, elements, has_words in inside:
        yield from elements if has_words else ()


def _named(settings: Mapping[str, str], option: str) -> frozenset[str]:
    names = settings.get(option, "").split(",")
    return frozenset(filter(None, (name.strip().strip("<>").lower() for name in names)))

"""The attributes of HTML that readers see or hear: which they are, and how a translation is written there."""

import re
from collections.abc import Iterator
from html import unescape

from connectors.formats.coding import Coded, CodedBuilder
from connectors.formats.markup.html_elements import ATTRIBUTES
from connectors.formats.markup.html_tokens import CODE, Token, attributes, is_kept
from connectors.formats.splicing import Found
from schemas.markup import escaped

_META = re.compile(r"(?:og:|twitter:)?(?:description|title|image:alt|site_name)\Z|keywords\Z", re.IGNORECASE)
_BUTTONS = frozenset({"button", "reset", "submit"})
# What an encoder of an attribute is called, by its quotes.
DOUBLE, SINGLE, BARE = "double", "single", "bare"
_ENCODERS = {'"': DOUBLE, "'": SINGLE, "": BARE}


def seen_attributes(text: str, token: Token) -> Iterator[Found]:
    """Find what readers see in the attributes of a start tag; nothing where it says `translate="no"`."""
    found = {one.name: one for one in attributes(text, token)}
    values = {name: text[one.start : one.end] for name, one in found.items()}
    if is_kept(values):
        return
    for one in sorted(found[name] for name in _seen(token.name, values) & found.keys()):
        coded = _coded(values[one.name])
        if coded and any(map(str.isalpha, coded.text)):
            yield Found(one.start, one.end, coded, f"{one.name} of {token.name}", _ENCODERS[one.quote])


def _coded(value: str) -> Coded | None:
    builder = CodedBuilder()
    behind = 0
    for code in CODE.finditer(value):
        builder.text(unescape(value[behind : code.start()]))
        builder.alone(code[0])
        behind = code.end()
    builder.text(unescape(value[behind:]))
    return builder.built()


def _seen(element: str, values: dict[str, str]) -> frozenset[str]:
    if element == "meta" and _META.match(values.get("name", values.get("property", ""))):
        return ATTRIBUTES | {"content"}
    if element == "input" and values.get("type", "").lower() in _BUTTONS:
        return ATTRIBUTES | {"value"}
    if element in ("option", "optgroup", "track"):
        return ATTRIBUTES | {"label"}
    return ATTRIBUTES


def _double(text: str) -> str:
    return escaped(text).replace('"', "&quot;")


def _single(text: str) -> str:
    return escaped(text).replace("'", "&#39;")


def _bare(text: str) -> str:
    return f'"{_double(text)}"'


ATTRIBUTE_ENCODERS = {DOUBLE: _double, SINGLE: _single, BARE: _bare}

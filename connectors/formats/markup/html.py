"""HTML and XHTML: a unit is what stands between two block tags, or an attribute that readers see.

White space between words is one space in a unit, as browsers show it, except in `pre`. What is marked
`translate="no"` or `class="notranslate"`, and code, is an isolated code or left out.
"""

import re
from collections.abc import Iterator
from html import unescape

from connectors.formats.coding import coded_of
from connectors.formats.flat import FlatFilter
from connectors.formats.markup.fragments import html_rules
from connectors.formats.markup.html_elements import ATTRIBUTES
from connectors.formats.markup.html_tokens import Token, attributes
from connectors.formats.markup.inline_units import units_in
from connectors.formats.protocol import Options
from connectors.formats.splicing import Found, Stamp
from schemas.markup import escaped

_META = re.compile(r"(?:og:|twitter:)?(?:description|title|image:alt|site_name)\Z|keywords\Z", re.IGNORECASE)
_BUTTONS = frozenset({"button", "reset", "submit"})
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)|<\?xml[^>]{0,100}encoding=[\"']([\w-]+)", re.I
)


def texts(text: str, options: Options) -> Iterator[Found | Stamp]:
    """Find the units of a page."""
    return units_in(text, html_rules(options.settings), lambda token: _seen_attributes(text, token, options))


def _seen_attributes(text: str, token: Token, options: Options) -> Iterator[Found | Stamp]:
    found = {one.name: one for one in attributes(text, token)}
    values = {name: text[one.start : one.end] for name, one in found.items()}
    wanted = ATTRIBUTES & found.keys()
    if token.name == "meta" and _META.match(values.get("name", values.get("property", ""))):
        wanted |= {"content"} & found.keys()
    if token.name == "input" and values.get("type", "").lower() in _BUTTONS:
        wanted |= {"value"} & found.keys()
    if token.name in ("option", "optgroup", "track"):
        wanted |= {"label"} & found.keys()
    for one in sorted(found[name] for name in wanted):
        coded = coded_of(unescape(text[one.start : one.end]))
        if coded and any(map(str.isalpha, coded.text)):
            yield Found(one.start, one.end, coded, f"{one.name} of {token.name}", _QUOTES[one.quote])
    if token.name == "html" and options.target_language:
        for name in ("lang", "xml:lang"):
            if name in found:
                yield Stamp(found[name].start, found[name].end, options.target_language)


_QUOTES = {'"': "double", "'": "single", "": "bare"}


def _double(text: str) -> str:
    return escaped(text).replace('"', "&quot;")


def _single(text: str) -> str:
    return escaped(text).replace("'", "&#39;")


def _bare(text: str) -> str:
    return f'"{_double(text)}"'


def declared(data: bytes) -> str | None:
    """Return the encoding that a page says it has."""
    found = _CHARSET.search(data[:4096])
    return (found[1] or found[2]).decode("ascii") if found else None


HTML_ENCODERS = {"text": escaped, "double": _double, "single": _single, "bare": _bare}
HTML = FlatFilter(
    frozenset({"text/html", "application/xhtml+xml"}),
    "1",
    texts,
    HTML_ENCODERS.__getitem__,
    declared=declared,
    errors="xmlcharrefreplace",
)

"""HTML and XHTML: a unit is what stands between two block tags, or an attribute that readers see.

White space between words is one space in a unit, as browsers show it, except in `pre`. What is marked
`translate="no"` or `class="notranslate"`, and code, is an isolated code or left out.
"""

import re
from collections.abc import Iterator

from connectors.formats.flat import FlatFilter
from connectors.formats.markup.fragments import html_rules
from connectors.formats.markup.html_tokens import Token, attributes
from connectors.formats.markup.inline_units import units_in
from connectors.formats.markup.seen_attributes import ATTRIBUTE_ENCODERS, seen_attributes
from connectors.formats.protocol import Options
from connectors.formats.splicing import Found, Stamp
from schemas.markup import escaped

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)|<\?xml[^>]{0,100}encoding=[\"']([\w-]+)", re.I
)


def texts(text: str, options: Options) -> Iterator[Found | Stamp]:
    """Find the units of a page."""
    return units_in(text, html_rules(options.settings), lambda token: _in_tag(text, token, options))


def _in_tag(text: str, token: Token, options: Options) -> Iterator[Found | Stamp]:
    yield from seen_attributes(text, token)
    if token.name == "html" and options.target_language:
        for one in attributes(text, token):
            if one.name in ("lang", "xml:lang"):
                yield Stamp(one.start, one.end, options.target_language)


def declared(data: bytes) -> str | None:
    """Return the encoding that a page says it has."""
    found = _CHARSET.search(data[:4096])
    return (found[1] or found[2]).decode("ascii") if found else None


HTML_ENCODERS = {"text": escaped, **ATTRIBUTE_ENCODERS}
HTML = FlatFilter(
    frozenset({"text/html", "application/xhtml+xml"}),
    "3",
    texts,
    HTML_ENCODERS.__getitem__,
    declared=declared,
    errors="xmlcharrefreplace",
)

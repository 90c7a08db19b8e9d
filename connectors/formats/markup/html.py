"""HTML and XHTML: a unit is what stands between two block tags, or an attribute that readers see.

White space between words is one space in a unit, as browsers show it, except in `pre`. What is marked
`translate="no"` or `class="notranslate"`, and code, is an isolated code or left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from connectors.formats.coding import CodedBuilder, coded_of
from connectors.formats.flat import FlatFilter
from connectors.formats.markup.html_elements import ATTRIBUTES, BREAKS, INLINE, OPAQUE, VOID
from connectors.formats.markup.html_tokens import Token, What, attributes, tokens
from connectors.formats.protocol import CodeKind, Options
from connectors.formats.splicing import Found, Stamp

_META = re.compile(r"(?:og:|twitter:)?(?:description|title|image:alt|site_name)\Z|keywords\Z", re.IGNORECASE)
_BUTTONS = frozenset({"button", "reset", "submit"})
_SPACE = re.compile(r"[ \t\r\n\f]+")
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)|<\?xml[^>]{0,100}encoding=[\"']([\w-]+)", re.I
)

# Counting lines from the beginning for every unit is quadratic; larger pages tell characters instead.
_COUNTED = 200_000


@dataclass
class _Run:
    """The tokens of the unit that is being read, and how many `pre` are open around them."""

    tokens: list[Token] = field(default_factory=list)
    pre: int = 0


def texts(text: str, options: Options) -> Iterator[Found | Stamp]:
    """Find the units of a page."""
    run = _Run()
    for token in _whole_elements(text):
        is_start = token.what is What.START
        if is_start:
            yield from _seen_attributes(text, token, options)
        if token.what in (What.TEXT, What.RAW) or token.name in INLINE or token.what is What.OTHER:
            if token.what is not What.RAW:
                run.tokens.append(token)
            continue
        yield from _found(text, run)
        run.tokens = []
        if token.name in ("pre", "listing"):
            run.pre = max(0, run.pre + (1 if is_start else -1))
    yield from _found(text, run)


def _whole_elements(text: str) -> Iterator[Token]:
    """Yield the tokens; an element that is not translated is one token, named after what it is among others."""
    opaque: Token | None = None
    depth = 0
    for token in tokens(text):
        if opaque is None:
            if token.what is What.START and _is_opaque(text, token):
                opaque, depth = token, 1
            else:
                yield token
            continue
        if token.name == opaque.name:
            depth += {What.START: 1, What.END: -1}.get(token.what, 0)
        if depth == 0:
            yield Token(What.OTHER if opaque.name in INLINE else What.END, opaque.start, token.end, opaque.name)
            opaque = None
    if opaque:
        yield Token(What.OTHER if opaque.name in INLINE else What.END, opaque.start, len(text), opaque.name)


def _is_opaque(text: str, token: Token) -> bool:
    if token.name in VOID or text[token.start : token.end].endswith("/>"):
        return False
    if token.name in OPAQUE:
        return True
    for attribute in attributes(text, token):
        value = text[attribute.start : attribute.end].lower()
        if attribute.name == "translate" and value == "no":
            return True
        if attribute.name == "class" and "notranslate" in value.split():
            return True
    return False


def _found(text: str, run: _Run) -> Iterator[Found]:
    worded = [at for at, token in enumerate(run.tokens) if not _is_blank(text, token)]
    pieces = run.tokens[worded[0] : worded[-1] + 1] if worded else []
    if not any(token.what is What.TEXT and text[token.start : token.end].strip() for token in pieces):
        return
    first = pieces[0]
    if first.what is What.TEXT:
        start = first.end - len(text[first.start : first.end].lstrip())
        pieces[0] = first = Token(What.TEXT, start, first.end)
    last = pieces[-1]
    if last.what is What.TEXT:
        pieces[-1] = last = Token(What.TEXT, last.start, last.start + len(text[last.start : last.end].rstrip()))
    builder = CodedBuilder(str)
    for token in pieces:
        _add(builder, text, token, is_pre=run.pre > 0)
    coded = builder.built()
    if coded:
        line = text.count("\n", 0, first.start) + 1 if len(text) < _COUNTED else 0
        yield Found(first.start, last.end, coded, f"line {line}" if line else f"character {first.start}", "text")


def _is_blank(text: str, token: Token) -> bool:
    return token.what is What.OTHER or (token.what is What.TEXT and not text[token.start : token.end].strip())


def _add(builder: CodedBuilder, text: str, token: Token, *, is_pre: bool) -> None:
    raw = text[token.start : token.end]
    if token.what is What.TEXT:
        builder.text(unescape(raw) if is_pre else unescape(_SPACE.sub(" ", raw)))
    elif token.what is What.OTHER or token.name in VOID or raw.endswith("/>"):
        kind = CodeKind.BREAK if token.name in BREAKS else CodeKind.OBJECT
        builder.alone(raw, kind=kind, at=token.start)
    elif token.what is What.START:
        builder.open(raw, key=token.name, at=token.start)
    else:
        builder.close(raw, token.name, token.start)


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


def escaped(text: str) -> str:
    """Write a text between tags. A no-break space stays visible as an entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\xa0", "&#160;")


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

"""A lossless tokenizer of HTML: the tokens in order are the text, whatever the text is. Linear in its length."""

import re
from collections.abc import Collection, Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple


class What(Enum):
    """The kinds of tokens. `OTHER`: comments, doctypes, and what a browser would drop."""

    TEXT = auto()
    START = auto()
    END = auto()
    OTHER = auto()
    RAW = auto()  # the content of script, style and the like
    LABEL = auto()  # the start tag of an element that is not translated, but its attributes are


class Token(NamedTuple):
    """A piece of the source; `name` of a tag, in small letters."""

    what: What
    start: int
    end: int
    name: str = ""


class Attribute(NamedTuple):
    """An attribute of a tag: its name in small letters, and the span of its value without quotes."""

    name: str
    start: int
    end: int
    quote: str


# Their content is no markup up to their end tag.
RAW = frozenset({"iframe", "noembed", "noframes", "plaintext", "script", "style", "xmp"})
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"[\s/]*([^\s=>/][^\s=>/]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?")
# PHP, which may lack its end, and what ASP, JSP, ERB and EJS have in common.
CODE = re.compile(r"<\?(?:php\b|=).*?(?:\?>|\Z)|<%(?:[^%<]|%(?!>)|<(?!%))*%>", re.DOTALL | re.IGNORECASE)
_INSTRUCTION = re.compile(r"<\?xml\b(?:[^?<]|\?(?!>)|<(?!\?))*\?>", re.IGNORECASE)
_XML = re.compile(r"\ufeff?\s*<\?xml\s|(?:\s*<!DOCTYPE[^>]*>)?\s*<html\s[^>]*xmlns\s*=", re.IGNORECASE)
_SPACES = re.compile(r"[\s/]*")
_TAG_END = re.compile(r"[\s/]*>")


def tokens(text: str, raw: Collection[str] = RAW) -> Iterator[Token]:
    """Yield the tokens; the content of `raw` elements is one, and so is code of a server amid words."""
    plain = without_code(text)
    if plain is text:
        yield from _tokens(text, raw)
        return
    for token in _tokens(plain, raw):
        if token.what is What.TEXT:
            yield from _words_and_code(text, token)
        else:
            yield token


def _words_and_code(text: str, token: Token) -> Iterator[Token]:
    behind = token.start
    for code in CODE.finditer(text, token.start, token.end):
        if code.start() > behind:
            yield Token(What.TEXT, behind, code.start())
        yield Token(What.OTHER, *code.span())
        behind = code.end()
    if behind < token.end:
        yield Token(What.TEXT, behind, token.end)


def without_code(text: str) -> str:
    """Hide the code of servers, which is run before anybody reads the page: its characters become letters."""
    if "<?" not in text and "<%" not in text:
        return text
    return CODE.sub(lambda code: "x" * len(code[0]), text)


def _tokens(text: str, raw: Collection[str]) -> Iterator[Token]:
    """Yield the tokens of a text without code of servers. In XHTML `<script/>` has no content."""
    is_xml = bool(_XML.match(text))
    at = behind = 0
    while (at := text.find("<", at)) >= 0:
        token = _markup(text, at)
        if token is None:
            at += 1
            continue
        if at > behind:
            yield Token(What.TEXT, behind, at)
        yield token
        at = behind = token.end
        if token.what is What.START and token.name in raw and not (is_xml and text[token.end - 2] == "/"):
            end = _raw_end(text, at, token.name)
            if end > at:
                yield Token(What.RAW, at, end)
            at = behind = end
    if behind < len(text):
        yield Token(What.TEXT, behind, len(text))


def _markup(text: str, at: int) -> Token | None:
    """Return the markup at a `<`, None where it is text."""
    instruction = _INSTRUCTION.match(text, at)
    if instruction:
        return Token(What.OTHER, *instruction.span())
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">")):
        if text.startswith(opening, at):
            end = text.find(closing, at + len(opening))
            return Token(What.OTHER, at, len(text) if end < 0 else end + len(closing))
    name = _NAME.match(text, at)
    if name is None:
        return None
    end = _tag_end(text, name.end())
    what = What.END if text[at + 1] == "/" else What.START
    # A tag without an end is dropped by browsers, with all that follows.
    return Token(What.OTHER, at, len(text)) if end < 0 else Token(what, at, end, name[1].lower())


def _tag_end(text: str, at: int) -> int:
    while True:
        end = _TAG_END.match(text, at)
        if end:
            return end.end()
        attribute = _ATTRIBUTE.match(text, at)
        if attribute is None or attribute.end() == at:
            # `=` where a name should be: it is part of one.
            if at >= len(text) or text[at] != "=":
                return -1
            at += 1
        else:
            at = attribute.end()


def _raw_end(text: str, at: int, name: str) -> int:
    end = re.compile(rf"</{re.escape(name)}(?=[\s/>])", re.IGNORECASE).search(text, at)
    return end.start() if end else len(text)


def attributes(text: str, token: Token) -> Iterator[Attribute]:
    """Yield the attributes of a start tag that have a value."""
    tag = without_code(text[token.start : token.end])
    name = _NAME.match(tag)
    at = name.end() if name else len(tag)
    while at < len(tag):
        found = _ATTRIBUTE.match(tag, at, len(tag) - 1)
        if found is None:
            # Spaces up to the end of the tag, or an `=` where a name should be.
            at = _SPACES.match(tag, at).end() + 1  # type: ignore[union-attr]  # matches everywhere
            continue
        for group, quote in ((2, '"'), (3, "'"), (4, "")):
            if found[group] is not None:
                start, end = found.span(group)
                yield Attribute(found[1].lower(), token.start + start, token.start + end, quote)
        at = found.end()


def is_kept(values: Mapping[str, str]) -> bool:
    """Tell whether the attributes of a tag say that it is not translated; their values by name."""
    return values.get("translate", "").lower() == "no" or "notranslate" in values.get("class", "").lower().split()


def is_translated(values: Mapping[str, str]) -> bool:
    """Tell whether the attributes of a tag say that it is translated, whatever is around it."""
    return values.get("translate", "no").lower() in ("", "yes")

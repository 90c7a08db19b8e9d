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
_XML = re.compile(r"\ufeff?\s*<\?xml\s|(?:\s*<!DOCTYPE[^>]*>)?\s*<html\s[^>]*xmlns\s*=", re.IGNORECASE)
_SPACES = re.compile(r"[\s/]*")
_TAG_END = re.compile(r"[\s/]*>")


def tokens(text: str, raw: Collection[str] = RAW) -> Iterator[Token]:
    """Yield the tokens; the content of `raw` elements is one. In XHTML `<script/>` has none."""
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
    name = _NAME.match(text, token.start)
    at = name.end() if name else token.end
    while at < token.end:
        found = _ATTRIBUTE.match(text, at, token.end - 1)
        if found is None:
            # Spaces up to the end of the tag, or an `=` where a name should be.
            at = _SPACES.match(text, at).end() + 1  # type: ignore[union-attr]  # matches everywhere
            continue
        for group, quote in ((2, '"'), (3, "'"), (4, "")):
            if found[group] is not None:
                yield Attribute(found[1].lower(), found.start(group), found.end(group), quote)
        at = found.end()


def is_kept(values: Mapping[str, str]) -> bool:
    """Tell whether the attributes of a tag say that it is not translated; their values by name."""
    return values.get("translate", "").lower() == "no" or "notranslate" in values.get("class", "").lower().split()

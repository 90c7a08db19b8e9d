"""The inside of a Markdown block: its delimiters become codes, in step with what markdown-it found. Pure."""

import re
from collections.abc import Iterator, Sequence
from html import unescape

from markdown_it.token import Token

from connectors.formats.coding import CodedBuilder, coded_of
from connectors.formats.protocol import CodeKind
from connectors.formats.splicing import Found

_TAIL = re.compile(
    r"\]\([ \t\n]*(?:<[^<>\n]*>|[^\s()<][^\s()]*(?:\([^\s()]*\)[^\s()]*)*)?"
    r"(?:[ \t\n]+(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?[ \t\n]*\)"
    r"|\](?:\[[^\[\]]*\])?"
)
_IMAGE = re.compile(r"!\[((?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)(?=\])")
# Footnotes (at the beginning with the colon of their text) and boxes to tick, which CommonMark does not know.
_MARK = re.compile(r"\A\[\^[^\]\s]+\]:[ \t]*|\[\^[^\]\s]+\]|\A\[[ xX]\](?=\s)")
# Where the text of a footnote is one word or address, CommonMark takes its marks for links.
_FOOTNOTES = re.compile(r"(?:\[\^[^\]\s]+\]){1,2}(?!\()")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|&#?\w+;")
_MARKED = re.compile(r"[`*_\[<\\]")
_AUTOLINK = re.compile(r"<[^<>\s]+>")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_SPECIAL = re.compile(r"[\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|&(?=#?\w+;)|(?<=\])\(|(?<=!)\[")
_BLOCK_START = re.compile(
    r"^([ \t]*)(?:([-+])(?=\s|\Z)|(\d{1,9})([.)])(?=\s|\Z)|(#{1,6})(?=\s|\Z)|(>)|([=~-]{3,}))", re.M
)


class _OutOfStepError(Exception):
    """The content does not look as the tokens say."""


class InlineReader:
    """Reads one inline token. `starts` says where each line of its content begins in the source.

    `prefix` begins each further line there. In a cell of a table, `|` has a backslash there.
    """

    def __init__(self, token: Token, starts: Sequence[int], prefix: str, *, is_cell: bool) -> None:
        self._is_cell = is_cell
        self._content = token.content
        self._children = token.children or []
        self._starts = starts
        self._prefix = prefix
        self._at = 0
        self._links: list[int] = []
        self._is_in_whole = False
        self._builder = CodedBuilder()
        self._inner: list[Found] = []

    def found(self, encoder: str) -> Iterator[Found]:
        """Yield the unit, and those inside its codes (the texts of pictures)."""
        try:
            for child in self._children:
                self._read(child)
        except _OutOfStepError:
            return
        coded = self._builder.built()
        end = self._offset(len(self._content))
        if coded and any(map(str.isalpha, coded.text)):
            yield Found(self._starts[0], end, coded, "", encoder)
        yield from (one._replace(encoder=encoder) for one in self._inner)

    def _read(self, child: Token) -> None:
        match child.type:
            case _ if self._is_in_whole and child.type != "link_close":
                # An address or a mark, which the code holds.
                return
            case "text":
                self._text(child.content)
            case "text_special":
                self._take(child.markup)
                self._builder.text(child.content)
            case "softbreak":
                self._newline()
            case "hardbreak":
                self._hard_break()
            case "code_inline":
                self._code(child.markup)
            case "html_inline":
                self._html(child.content)
            case "image":
                self._image()
            case "link_open" | "link_close":
                self._link(child)
            case _:
                self._delimiter(child)

    def _link(self, child: Token) -> None:
        whole = _AUTOLINK if child.markup == "autolink" else _FOOTNOTES
        if child.nesting < 0 and self._is_in_whole:
            self._is_in_whole = False
        elif whole is _AUTOLINK or (child.nesting > 0 and whole.match(self._content, self._at)):
            self._builder.alone(self._match(whole))
            self._is_in_whole = True
        elif child.nesting > 0:
            self._builder.open(self._take("["), key="link")
            self._links.append(self._at)
        else:
            self._link_end()

    def _link_end(self) -> None:
        label = self._content[self._links.pop() : self._at]
        tail = self._match(_TAIL)
        # The text of a link by reference may be the name of the reference, which must stay.
        tail = f"][{label}]" if tail in ("]", "][]") else tail
        self._builder.close(self._prefixed(tail), "link")

    def _take(self, expected: str) -> str:
        if not self._content.startswith(expected, self._at):
            raise _OutOfStepError
        self._at += len(expected)
        return expected

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._content, self._at)
        if found is None:
            raise _OutOfStepError
        self._at = found.end()
        return found[0]

    def _text(self, text: str) -> None:
        self._take(text)
        behind = 0
        for mark in _MARK.finditer(text):
            self._builder.text(text[behind : mark.start()])
            self._builder.alone(mark[0])
            behind = mark.end()
        self._builder.text(text[behind:])

    def _newline(self) -> None:
        self._match(re.compile(r"[ \t]*\n[ \t]*"))
        self._builder.text("\n")

    def _hard_break(self) -> None:
        raw = self._match(re.compile(r"(?:\\| {2,})\n[ \t]*"))
        self._builder.alone(self._prefixed(raw.rstrip(" \t")), kind=CodeKind.BREAK)

    def _code(self, markup: str) -> None:
        start = self._at
        self._take(markup)
        end = re.compile(rf"(?<!`){markup}(?!`)").search(self._content, self._at)
        if end is None:
            raise _OutOfStepError
        self._at = end.end()
        self._builder.alone(self._prefixed(self._content[start : self._at]))

    def _html(self, raw: str) -> None:
        self._take(raw)
        tag = _TAG.match(raw)
        if tag is None or raw.endswith("/>") or tag[2].lower() in ("br", "img", "wbr"):
            kind = CodeKind.BREAK if tag and tag[2].lower() == "br" else CodeKind.OBJECT
            self._builder.alone(self._prefixed(raw), kind=kind)
        elif tag[1]:
            self._builder.close(self._prefixed(raw), tag[2].lower())
        else:
            self._builder.open(self._prefixed(raw), key=tag[2].lower())

    def _image(self) -> None:
        start = self._at
        alt = _IMAGE.match(self._content, start)
        if alt is None:
            raise _OutOfStepError
        self._at = alt.end()
        self._match(_TAIL)
        raw = self._content[start : self._at]
        # Where lines are prefixed, its offsets in the file are not those in the content.
        is_on_a_line = "\n" not in raw
        is_shifted = self._is_cell and "|" in raw
        is_plain = is_on_a_line and not is_shifted and not _MARKED.search(_ESCAPED.sub("", alt[1]))
        coded = coded_of(_ESCAPED.sub(_meant, alt[1])) if is_plain else None
        self._builder.alone(self._prefixed(raw), alt[0], at=self._offset(start) if is_on_a_line else -1)
        if coded:
            self._inner.append(Found(self._offset(alt.start(1)), self._offset(alt.end(1)), coded, ""))

    def _delimiter(self, child: Token) -> None:
        self._take(child.markup)
        if child.nesting == 0:
            raise _OutOfStepError
        if child.nesting > 0:
            self._builder.open(child.markup, key=child.tag)
        else:
            self._builder.close(child.markup, child.tag)

    def _prefixed(self, raw: str) -> str:
        written = raw.replace("|", "\\|") if self._is_cell else raw
        return written.replace("\n", f"\n{self._prefix}")

    def _offset(self, at: int) -> int:
        line = self._content.count("\n", 0, at)
        column = at - (self._content.rfind("\n", 0, at) + 1)
        column += self._content.count("|", 0, at) if self._is_cell else 0
        return self._starts[line] + column


def _meant(escape: re.Match[str]) -> str:
    return escape[1] or unescape(escape[0])


def escaped(text: str) -> str:
    """Write a text so that no character of it means anything to Markdown."""
    plain = _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
    return _BLOCK_START.sub(_escaped_start, plain)


def _escaped_start(found: re.Match[str]) -> str:
    if found[3]:
        return f"{found[1]}{found[3]}\\{found[4]}"
    return f"{found[1]}\\{found[0][len(found[1]) :]}"

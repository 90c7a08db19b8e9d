"""The inside of a Markdown block: its delimiters become codes, in step with what markdown-it found. Pure."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it.token import Token

from connectors.formats.coding import CodedBuilder
from connectors.formats.plain.markdown_block import Block
from connectors.formats.plain.markdown_links import tail_end
from connectors.formats.protocol import CodeKind
from connectors.formats.splicing import Found

# What CommonMark does not know: footnotes; at the beginning of a line their texts, with a colon, boxes that are
# ticked, and what begins alerts and admonitions.
_MARK = r"\[\^[^\]\s]+\]"
_BEGINNING = (
    r"\[\^[^\]\s]+\]:[ \t]*|\[[ xX]\](?=\s)|\[!\w+\][-+]?(?=\s|\Z)|:{3,}[ \t]*[\w-]*"
    r"|(?:!!!|\?\?\?\+?)[ \t]+[\w-]+(?:[ \t]+[\w-]+)*"
)
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?)[ \t]+\w")
# Where the text of a footnote is one word or address, CommonMark takes its marks for links.
_FOOTNOTES = re.compile(r"(?:\[\^[^\]\s]+\]){1,2}(?!\()")
_AUTOLINK = re.compile(r"<[^<>\s]+>")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_SPECIAL = re.compile(r"[\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|&(?=#?\w+;)|(?<=\])\(|(?<=!)\[")
_BLOCK_START = re.compile(
    r"^([ \t]*)(?:([-+])(?=\s|\Z)|(\d{1,9})([.)])(?=\s|\Z)|(#{1,6})(?=\s|\Z)|(>)|([=~-]{3,}))", re.M
)


class _OutOfStepError(Exception):
    """The content does not look as the tokens say."""


class InlineReader:
    """Reads the children of one inline token, from an offset of its block's content on.

    `mask` is the character that stands for what is hidden from the parser.
    """

    def __init__(self, block: Block, children: Sequence[Token], mask: str, at: int = 0) -> None:
        self._block = block
        self._content = block.content
        self._children = children
        self._mask = mask
        self._at = at
        self._links: list[int] = []
        self._is_in_whole = False
        self._builder = CodedBuilder()
        self._inner: list[Found] = []

    def found(self, encoder: str, behind: str = "") -> Iterator[Found]:
        """Yield the unit, and those inside its codes (the texts of pictures). `behind` is written at its end."""
        start = self._at
        try:
            for child in self._children:
                self._read(child)
            if behind:
                self._tail()
                self._builder.alone(behind)
        except _OutOfStepError:
            return
        coded = self._builder.built()
        if coded and any(map(str.isalpha, coded.text)):
            yield Found(self._block.offset(start), self._block.offset(self._at), coded, "", encoder)
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
                self._image(child)
            case "link_open" | "link_close":
                self._link(child)
            case _:
                self._delimiter(child)

    def _link(self, child: Token) -> None:
        whole = _AUTOLINK if child.markup == "autolink" else _FOOTNOTES
        if child.nesting < 0 and self._is_in_whole:
            self._is_in_whole = False
        elif whole is _AUTOLINK or (child.nesting > 0 and whole.match(self._content, self._at)):
            start = self._at
            self._match(whole)
            self._builder.alone(self._written(start))
            self._is_in_whole = True
        elif child.nesting > 0:
            self._builder.open(self._take("["), key="link")
            self._links.append(self._at)
        else:
            self._link_end()

    def _link_end(self) -> None:
        label_start, start = self._links.pop(), self._at
        self._tail()
        tail = self._written(start)
        # The text of a link by reference may be the name of the reference, which must stay.
        tail = f"][{self._block.written(label_start, start)}]" if tail in ("]", "][]") else tail
        self._builder.close(tail, "link")

    def _tail(self) -> None:
        end = tail_end(self._content, self._at)
        if end < 0:
            raise _OutOfStepError
        self._at = end

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
        start = self._at
        self._take(text)
        behind = 0
        is_beginning = start == 0 or self._content[start - 1] == "\n"
        for mark in _marks(self._mask, is_beginning=is_beginning).finditer(text):
            self._builder.text(text[behind : mark.start()])
            self._builder.alone(self._block.written(start + mark.start(), start + mark.end()))
            behind = mark.end()
        self._builder.text(text[behind:])

    def _newline(self) -> None:
        raw = self._match(re.compile(r"[ \t]*\n[ \t]*"))
        if _ADMONITION.match(self._content):
            # MkDocs needs the spaces.
            self._builder.alone(self._block.line_start + raw.partition("\n")[2], kind=CodeKind.BREAK)
        else:
            self._builder.text("\n")

    def _hard_break(self) -> None:
        raw = self._match(re.compile(r"(?:\\| {2,})\n[ \t]*"))
        self._builder.alone(raw.partition("\n")[0] + self._block.line_start, kind=CodeKind.BREAK)

    def _code(self, markup: str) -> None:
        start = self._at
        self._take(markup)
        end = re.compile(rf"(?<!`){markup}(?!`)").search(self._content, self._at)
        if end is None:
            raise _OutOfStepError
        self._at = end.end()
        self._builder.alone(self._written(start))

    def _html(self, raw: str) -> None:
        start = self._at
        tag = _TAG.match(self._take(raw))
        written = self._written(start)
        if tag is None or raw.endswith("/>") or tag[2].lower() in ("br", "img", "wbr"):
            kind = CodeKind.BREAK if tag and tag[2].lower() == "br" else CodeKind.OBJECT
            self._builder.alone(written, kind=kind)
        elif tag[1]:
            self._builder.close(written, tag[2].lower())
        else:
            self._builder.open(written, key=tag[2].lower())

    def _image(self, child: Token) -> None:
        start = self._at
        self._take("![")
        words = InlineReader(self._block, child.children or [], self._mask, self._at)
        self._take(child.content)
        shown, label_end = self._content[start : self._at], self._at
        self._tail()
        # The text of a picture may be the name of its address, as that of a link.
        is_name = self._written(label_end) in ("]", "][]")
        self._builder.alone(self._written(start), shown, at=self._block.offset(start))
        self._inner += words.found("", f"][{self._block.written(start + 2, label_end)}]" if is_name else "")

    def _delimiter(self, child: Token) -> None:
        self._take(child.markup)
        if child.nesting == 0:
            raise _OutOfStepError
        if child.nesting > 0:
            self._builder.open(child.markup, key=child.tag)
        else:
            self._builder.close(child.markup, child.tag)

    def _written(self, start: int) -> str:
        return self._block.written(start, self._at)


@lru_cache(maxsize=8)
def _marks(mask: str, *, is_beginning: bool) -> re.Pattern[str]:
    patterns = [rf"\A(?:{_BEGINNING})"] if is_beginning else []
    return re.compile("|".join([*patterns, _MARK, *([f"{mask}+"] if mask else [])]))


def escaped(text: str) -> str:
    """Write a text so that no character of it means anything to Markdown."""
    plain = _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
    return _BLOCK_START.sub(_escaped_start, plain)


def _escaped_start(found: re.Match[str]) -> str:
    if found[3]:
        return f"{found[1]}{found[3]}\\{found[4]}"
    return f"{found[1]}\\{found[0][len(found[1]) :]}"

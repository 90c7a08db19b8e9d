"""The lines of a text, each with what tells prose from lists, tables and code. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.segments import LINE_START

_START = re.compile(LINE_START)
_ITEM = re.compile(r"(?:[*+•‣–—-]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+")
# Prompts, grammar rules, rows of tables, horizontal rules, headings, signatures: their line breaks carry meaning.
_LITERAL = re.compile(r">>>|\.\.\. |\$ |.*::=|\||\+[-=]|[-=*_~#]{3,}|#{1,6} |--$")
# A header of an e-mail begins its own line, whatever the one before it looks like.
_HEADER = re.compile(r"(?:Bcc|Cc|Date|From|Message-ID|Reply-To|Sent|Subject|To|X-[\w-]+): ", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}|~{3,}")
# Signs of code between words; a semicolon or a call ends a line of it.
_CODE = re.compile(r"[{}=<>\\|]")
_CALL = re.compile(r"\w\([^\s)]*\)?\Z")
_CLOSING = "\"'”’»“)]*_`"
_TERMINATORS = frozenset(".!?:;…。！？।")
_BREAKS = ("\n", "\r")


class Line(NamedTuple):
    """One line: its offsets, the columns before its words, `marks` of quotation, and its words without margins.

    `is_item`: it begins with a bullet or a number, behind which its words begin at `text_indent`. `is_last`: it
    ends with no line break that a line breaker could have made.
    """

    start: int
    end: int
    content: str = ""
    marks: str = ""
    indent: int = 0
    text_indent: int = 0
    is_item: bool = False
    is_last: bool = True

    @property
    def width(self) -> int:
        """Return the columns that the line takes."""
        return self.indent + len(self.content)

    @property
    def is_literal(self) -> bool:
        """Tell whether the line's breaks carry meaning."""
        return _LITERAL.match(self.content) is not None

    @property
    def is_header(self) -> bool:
        """Tell whether the line is a header of an e-mail."""
        return _HEADER.match(self.content) is not None

    @property
    def is_code(self) -> bool:
        """Tell whether the line has signs of code."""
        content = self.content
        if content[-1] == ";" or content[0] in "#@$" or _CODE.search(content):
            return True
        return content[-1] in "()" and _CALL.search(content) is not None

    @property
    def ends_sentence(self) -> bool:
        """Tell whether a mark ends a sentence, or an introduction, with the line."""
        return self.content.rstrip(_CLOSING)[-1:] in _TERMINATORS


def lines_of(raw_lines: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of a text that was split with its line ends."""
    start = 0
    for raw in raw_lines:
        end = start + len(raw)
        content = raw.strip()
        if content:
            yield _line(raw, content, start, end)
        else:
            yield Line(start, end)
        start = end


def fenced(lines: Sequence[Line]) -> dict[int, int]:
    """Return the index of each line of fenced code, with that of its opening fence; a fence must be closed."""
    found: dict[int, int] = {}
    opened: int | None = None
    for at, line in enumerate(lines):
        if line.content[:1] not in ("`", "~") or not _FENCE.match(line.content):
            continue
        if opened is None:
            opened = at
        elif line.content.startswith(lines[opened].content[:3]) and not line.content.strip("`~"):
            found |= dict.fromkeys(range(opened, at + 1), opened)
            opened = None
    return found


def _line(raw: str, content: str, start: int, end: int) -> Line:
    indent, marks = raw.index(content[0]), ""
    if content[0] == ">":
        prefix = _START.match(raw)
        indent = prefix.end() if prefix else indent
        marks, content = "".join(raw[:indent].split()), raw[indent:].strip()
    item = _ITEM.match(content)
    text_indent = indent + item.end() if item else indent
    return Line(start, end, content, marks, indent, text_indent, item is not None, not raw.endswith(_BREAKS))

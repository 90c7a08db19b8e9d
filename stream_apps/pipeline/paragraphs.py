"""Find the lines that belong together: prose that an editor wrapped at a column is one paragraph again. Pure.

A line goes on with the next one only if it was wrapped: the next line's first word would not have fitted into it.
That is how every greedy line breaker works, so where the word would have fitted, the author ended the line.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

# Columns. Nobody wraps prose narrower or wider; such lines are paragraphs of their own.
NARROWEST, WIDEST = 40, 120

_ITEM = re.compile(r"(?:[*+•‣–—-]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+")
# Prompts, grammar rules, rows of tables and horizontal rules: their line breaks carry meaning.
_LITERAL = re.compile(r">>>|\.\.\. |\$ |.*::=|\||\+[-=]|[-=*_~#]{3,}")


class Line(NamedTuple):
    """One line: its offsets in the text, its indentation in columns, and its content without outer white space."""

    start: int
    end: int
    indent: int
    content: str

    @property
    def text_indent(self) -> int:
        """Return the column where the words begin, behind a bullet."""
        item = _ITEM.match(self.content)
        return self.indent + (item.end() if item else 0)

    @property
    def width(self) -> int:
        """Return the columns that the line takes."""
        return self.indent + len(self.content)


_NOTHING = Line(0, 0, 0, "")


def paragraph_ends(text: str) -> Iterator[int]:
    """Yield where each paragraph ends: the offset behind its last line."""
    raw_lines = text.splitlines(keepends=True)
    if len(raw_lines) == 1:
        yield len(text)
        return
    lines = list(_lines(raw_lines))
    widths = _block_widths(lines)
    for (line, next_line), width in zip(pairwise([*lines, _NOTHING]), widths, strict=True):
        if not _goes_on(line, next_line, width):
            yield line.end


def _lines(raw_lines: list[str]) -> Iterator[Line]:
    start = 0
    for raw in raw_lines:
        content = raw.strip()
        indent = len(raw) - len(raw.lstrip()) if content else 0
        yield Line(start, start + len(raw), indent, content)
        start += len(raw)


def _block_widths(lines: list[Line]) -> list[int]:
    """Return for each line the width of the widest line in its block, the lines without a blank one between."""
    widths: list[int] = []
    block: list[Line] = []
    for line in (*lines, None):
        if line is not None and line.content:
            block.append(line)
            continue
        widths += [max((one.width for one in block), default=0)] * len(block)
        widths += [0] if line is not None else []
        block = []
    return widths


def _goes_on(line: Line, next_line: Line, width: int) -> bool:
    if not line.content or not next_line.content or not NARROWEST <= width <= WIDEST:
        return False
    if _LITERAL.match(line.content) or _LITERAL.match(next_line.content) or _ITEM.match(next_line.content):
        return False
    first_word = next_line.content.split(maxsplit=1)[0]
    return next_line.indent == line.text_indent and line.width + 1 + len(first_word) > width

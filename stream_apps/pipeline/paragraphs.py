"""Find the lines that belong together: prose that was wrapped at a column is one paragraph again. Pure.

A line goes on with the next one where both begin alike (indentation, marks of quotation) and one of two holds:

- The next line's first word would not have fitted. That is how every greedy line breaker works.
- It ends in the middle of a sentence: no mark ends it, and the next one begins with a small letter. People who
  wrap by hand leave room. In a block with such lines, one that is nearly full goes on before a capital, too.

Fenced code of Markdown is no prose at all.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from schemas.segments import LINE_START

# Columns. Nobody wraps prose narrower or wider; such lines are paragraphs of their own.
NARROWEST, WIDEST = 40, 120
# The share of a block's width from which a line is nearly full.
_NEARLY = 0.7
# A word that no line breaker could break, such as an address, makes its line wider than its block and than usual.
USUAL, _LONGEST_WORD = 80, 30

_START = re.compile(LINE_START)
_ITEM = re.compile(r"(?:[*+•‣–—-]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+")
# Prompts, grammar rules, rows of tables, horizontal rules, headings, signatures: their line breaks carry meaning.
_LITERAL = re.compile(r">>>|\.\.\. |\$ |.*::=|\||\+[-=]|[-=*_~#]{3,}|#{1,6} |--$")
_FENCE = re.compile(r"`{3,}|~{3,}")
# Signs of code between words; a semicolon or a call ends a line of it.
_CODE = re.compile(r"[{}=<>\\|]|;$|\w\([^\s)]*\)?$|^[#@$]")
_ENDS_SENTENCE = re.compile(r"[.!?:;…。！？।][\"'”’»“)\]*_`]*$")
_PROMPT = ">>>"
_BREAKS = ("\n", "\r")


class Line(NamedTuple):
    """One line. `prefix` is its indentation with marks of quotation, `content` the text behind, trimmed."""

    start: int
    end: int
    prefix: str
    content: str
    is_last: bool = True

    @property
    def text_indent(self) -> int:
        """Return the column where the words begin, behind a bullet."""
        item = _ITEM.match(self.content)
        return self.indent + (item.end() if item else 0)

    @property
    def indent(self) -> int:
        """Return the column where the content begins."""
        return len(self.prefix)

    @property
    def marks(self) -> str:
        """Return the marks of quotation."""
        return "".join(self.prefix.split())

    @property
    def width(self) -> int:
        """Return the columns that the line takes."""
        return self.indent + len(self.content)


class Paragraph(NamedTuple):
    """Where a paragraph ends: the offset behind its last line. `width` is the widest line of its block."""

    end: int
    width: int
    is_code: bool = False


class _Block(NamedTuple):
    """Lines of one quotation without a blank one between; `is_by_hand`: some of them end amid a sentence."""

    width: int
    is_by_hand: bool


_NOTHING, _EMPTY = Line(0, 0, "", ""), _Block(0, is_by_hand=False)


def paragraphs(text: str) -> Iterator[Paragraph]:
    """Yield the paragraphs in order; together they are the text."""
    raw_lines = text.splitlines(keepends=True)
    if len(raw_lines) == 1:
        yield Paragraph(len(text), 0)
        return
    lines = list(_lines(raw_lines))
    fenced = _fenced(lines)
    blocks = _blocks(lines)
    for at, (line, next_line) in enumerate(pairwise([*lines, _NOTHING])):
        fence, next_fence = fenced.get(at), fenced.get(at + 1)
        if fence != next_fence or (fence is None and not _goes_on(line, next_line, blocks[at])):
            yield Paragraph(line.end, blocks[at].width, fence is not None)


def _lines(raw_lines: list[str]) -> Iterator[Line]:
    start = 0
    for raw in raw_lines:
        found = _START.match(raw)
        prefix = found[0] if found else ""
        yield Line(start, start + len(raw), prefix, raw[len(prefix) :].strip(), not raw.endswith(_BREAKS))
        start += len(raw)


def _fenced(lines: Sequence[Line]) -> dict[int, int]:
    """Return the index of each line of fenced code, with that of its opening fence; a fence must be closed."""
    fenced: dict[int, int] = {}
    opened: int | None = None
    for at, line in enumerate(lines):
        found = _FENCE.match(line.content)
        if opened is None:
            opened = at if found else None
        elif found and line.content.startswith(lines[opened].content[:3]) and not line.content.strip("`~"):
            fenced |= dict.fromkeys(range(opened, at + 1), opened)
            opened = None
    return fenced


def _blocks(lines: Sequence[Line]) -> list[_Block]:
    """Return for each line its block."""
    blocks: list[_Block] = []
    block: list[Line] = []
    for line in (*lines, _NOTHING):
        if line.content and (not block or block[-1].marks == line.marks):
            block.append(line)
            continue
        blocks += [_block_of(block)] * len(block)
        block = [line] if line.content else []
        blocks += [] if line.content else [_EMPTY]
    return blocks


def _block_of(lines: Sequence[Line]) -> _Block:
    return _Block(_width(lines), any(_ends_amid_sentence(*two) for two in pairwise(lines)))


def _width(block: Sequence[Line]) -> int:
    usual = [line.width for line in block if line.width <= USUAL or not _is_unbreakable(line)]
    return max(usual or [line.width for line in block], default=0)


def _is_unbreakable(line: Line) -> bool:
    return any(len(word) > _LONGEST_WORD for word in line.content.split())


def _goes_on(line: Line, next_line: Line, block: _Block) -> bool:
    if line.is_last or not NARROWEST <= block.width <= WIDEST or not _is_prose(line, next_line):
        return False
    if _ends_amid_sentence(line, next_line):
        return True
    first_word = next_line.content.split(maxsplit=1)[0]
    ends_sentence = _ENDS_SENTENCE.search(line.content)
    if next_line.indent != line.text_indent or (ends_sentence and len(first_word) > _LONGEST_WORD):
        return False
    is_nearly_full = block.is_by_hand and not ends_sentence and line.width >= _NEARLY * block.width
    return is_nearly_full or line.width + 1 + len(first_word) > block.width


def _is_prose(line: Line, next_line: Line) -> bool:
    """Tell whether the break between the lines may be one that a line breaker made."""
    if not line.content or not next_line.content or line.marks != next_line.marks:
        return False
    if _LITERAL.match(line.content) or _LITERAL.match(next_line.content) or _ITEM.match(next_line.content):
        return False
    return line.marks != _PROMPT or not _is_code(line, next_line)


def _ends_amid_sentence(line: Line, next_line: Line) -> bool:
    return (
        line.width >= NARROWEST
        and next_line.content[0].islower()
        and next_line.indent in (line.indent, line.text_indent)
        and not (_ENDS_SENTENCE.search(line.content) or _is_code(line, next_line))
    )


def _is_code(*lines: Line) -> bool:
    return any(_CODE.search(line.content) for line in lines)

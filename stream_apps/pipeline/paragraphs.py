"""Find the lines that belong together: prose that was wrapped at a column is one paragraph again. Pure.

A line goes on with the next one where both begin alike (indentation, marks of quotation) and one of two holds:

- The next line's first word would not have fitted. That is how every greedy line breaker works.
- It ends in the middle of a sentence: no mark ends it, and the next one begins with a small letter. People who
  wrap by hand leave room. In a block with such lines, one that is nearly full goes on before a capital, too.

Fenced code of Markdown is no prose at all, nor is what `bare_code` finds. Each unit of a text (schemas/units.py)
has paragraphs of its own.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from schemas.units import UNIT_SEPARATOR
from stream_apps.pipeline.bare_code import bare_code
from stream_apps.pipeline.text_lines import Line, fenced, lines_of

# Columns. Nobody wraps prose narrower or wider; such lines are paragraphs of their own.
NARROWEST, WIDEST = 40, 120
# The share of a block's width from which a line is nearly full.
_NEARLY = 0.7
# A word that no line breaker could break, such as an address, makes its line wider than its block and than usual.
_USUAL, _LONGEST_WORD = 80, 30
_PROMPT = ">>>"
# With the separator behind it.
_UNIT = re.compile(f"[^{UNIT_SEPARATOR}]*{UNIT_SEPARATOR}|[^{UNIT_SEPARATOR}]+")


class Paragraph(NamedTuple):
    """Where a paragraph ends: the offset behind its last line. `width` is that of its block, in columns."""

    end: int
    width: int
    is_code: bool = False


class _Block(NamedTuple):
    """Lines of one quotation without a blank one between; `is_by_hand`: some of them end amid a sentence."""

    width: int
    is_by_hand: bool


_NOTHING, _EMPTY = Line(0, 0), _Block(0, is_by_hand=False)


def paragraphs(text: str) -> Iterator[Paragraph]:
    """Yield the paragraphs in order; together they are the text."""
    if UNIT_SEPARATOR not in text:
        yield from _paragraphs(text)
        return
    start = 0
    for unit in _UNIT.findall(text):
        yield from (one._replace(end=start + one.end) for one in _paragraphs(unit))
        start += len(unit)


def _paragraphs(text: str) -> Iterator[Paragraph]:
    raw_lines = text.splitlines(keepends=True)
    if len(raw_lines) == 1:
        yield Paragraph(len(text), 0)
        return
    lines = list(lines_of(raw_lines))
    fences = bare_code(lines) | fenced(lines)
    blocks = _blocks(lines)
    for at, (line, next_line) in enumerate(pairwise([*lines, _NOTHING])):
        fence, next_fence = fences.get(at), fences.get(at + 1)
        if fence != next_fence or (fence is None and not _goes_on(line, next_line, blocks[at])):
            yield Paragraph(line.end, blocks[at].width, fence is not None)


def _blocks(lines: Sequence[Line]) -> list[_Block]:
    """Return for each line its block."""
    blocks: list[_Block] = []
    block: list[Line] = []
    for line in (*lines, _NOTHING):
        if line.content and (not block or block[-1].marks == line.marks):
            block.append(line)
            continue
        if block:
            blocks += [_block_of(block)] * len(block)
        block = [line] if line.content else []
        blocks += [] if line.content else [_EMPTY]
    return blocks


def _block_of(lines: Sequence[Line]) -> _Block:
    width = max(line.width for line in lines)
    if width > _USUAL:
        usual = [line.width for line in lines if line.width <= _USUAL or not _is_unbreakable(line)]
        width = max(usual, default=width)
    if not NARROWEST <= width <= WIDEST:
        return _Block(width, is_by_hand=False)
    return _Block(width, any(_ends_amid_sentence(*two) for two in pairwise(lines)))


def _is_unbreakable(line: Line) -> bool:
    return any(len(word) > _LONGEST_WORD for word in line.content.split())


def _goes_on(line: Line, next_line: Line, block: _Block) -> bool:
    if line.is_last or not NARROWEST <= block.width <= WIDEST or not _is_prose(line, next_line):
        return False
    is_aligned = next_line.indent == line.text_indent
    first_word = next_line.content.split(maxsplit=1)[0]
    if is_aligned and line.width + 1 + len(first_word) > block.width:
        # An address on its own line behind a sentence is none of it.
        return len(first_word) <= _LONGEST_WORD or not line.ends_sentence
    is_nearly_full = is_aligned and block.is_by_hand and line.width >= _NEARLY * block.width
    return (is_nearly_full and not line.ends_sentence) or _ends_amid_sentence(line, next_line)


def _is_prose(line: Line, next_line: Line) -> bool:
    """Tell whether the break between the lines may be one that a line breaker made."""
    if not line.content or not next_line.content or line.marks != next_line.marks:
        return False
    if next_line.is_item or next_line.is_header or line.is_literal or next_line.is_literal:
        return False
    return line.marks != _PROMPT or not (line.is_code or next_line.is_code)


def _ends_amid_sentence(line: Line, next_line: Line) -> bool:
    return (
        line.width >= NARROWEST
        and next_line.content[0].islower()
        and next_line.indent in (line.indent, line.text_indent)
        and not (line.ends_sentence or line.is_code or next_line.is_code)
    )

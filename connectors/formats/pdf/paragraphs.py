"""Paragraphs out of the lines of a page. Pure: a line is a text, where it stands and how high its letters are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

# Lines of one paragraph are as far apart as most lines of the page; this much more begins another one.
_WIDER = 1.35
# Letters of one paragraph are about as high.
_OTHER_SIZE = 1.15
_HEADING_SIZE = 1.2
_BULLET = re.compile(r"\s*(?:[•‣▪●○–—-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
# What pdfium makes of a hyphen at the end of a line.
_HYPHENS = "\x02\ufffe\xad"
_LEADER = re.compile(r"(?:\.\s?){5,}\s*\d+\s*\Z")


@dataclass(frozen=True)
class Line:
    """A line: its text, its left and right edge, the foot of it, and the height of its letters, in points."""

    text: str
    left: float
    right: float
    bottom: float
    height: float


@dataclass(frozen=True)
class Block:
    """A paragraph or a heading."""

    text: str
    is_heading: bool


def blocks(lines: Sequence[Line], usual_height: float) -> Iterator[Block]:
    """Yield the paragraphs of a page; `usual_height` is that of the document's letters."""
    if not lines:
        return
    pitch = _pitch(lines)
    group = [lines[0]]
    for previous, line in pairwise(lines):
        if _begins(previous, line, pitch):
            yield _block(group, usual_height)
            group = []
        group.append(line)
    yield _block(group, usual_height)


def _pitch(lines: Sequence[Line]) -> float:
    steps = [first.bottom - second.bottom for first, second in pairwise(lines)]
    down = [step for step, line in zip(steps, lines, strict=False) if 0 < step < 4 * line.height]
    return median(down) if down else 0.0


def _begins(previous: Line, line: Line, pitch: float) -> bool:
    """Tell whether a line begins a paragraph."""
    step = previous.bottom - line.bottom
    sizes = sorted((previous.height, line.height))
    is_apart = step <= 0 or step > _WIDER * pitch
    is_other = sizes[1] > _OTHER_SIZE * sizes[0] > 0
    is_short = previous.right < line.right - 6 * line.height and previous.text.rstrip().endswith(
        (".", "!", "?", ":")
    )
    return (
        is_apart or is_other or is_short or bool(_BULLET.match(line.text)) or bool(_LEADER.search(previous.text))
    )


def _block(lines: Sequence[Line], usual_height: float) -> Block:
    text = lines[0].text.strip()
    for line in lines[1:]:
        text = _joined(text, line.text.strip())
    height = median(line.height for line in lines)
    return Block(text.rstrip(_HYPHENS), is_heading=height > _HEADING_SIZE * usual_height and len(lines) < 4)


def _joined(text: str, following: str) -> str:
    if text.endswith(tuple(_HYPHENS)):
        return text.rstrip(_HYPHENS) + following
    if text.endswith("-") and text[-2:-1].isalpha() and following[:1].islower():
        return text[:-1] + following
    return f"{text} {following}"

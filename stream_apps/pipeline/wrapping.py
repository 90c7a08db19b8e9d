"""Wrap translations as their source was: at its column, with its line ends and what its lines begin with. Pure.

A segment that went over several lines was translated as one. Its paragraph is filled again: sentences follow each
other, lines break where the next word would not fit. What was no wrapped prose keeps every byte between its
segments. The same batch and translations always give the same lines.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from schemas.messages import SegmentBatch
from schemas.segments import LINE_START, is_wrapped, unwrapped
from schemas.units import UNIT_SEPARATOR
from stream_apps.pipeline.paragraphs import paragraphs

_LINE_BREAK = re.compile(rf"(?:\r\n|\r|\n){LINE_START}")
# Han, kana and Hangul take two columns each.
_WIDE = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f"
    "\uff00-\uff60\uffe0-\uffe6"
)
_WIDE_CHARACTER = re.compile(f"[{_WIDE}]")
# A line may break between any two characters of scripts without spaces, but not before or behind these.
_OPENING, _CLOSING = "「『（《〈【［｛", "、。，．！？：；）」』】》〉］｝ー"
_UNSPACED = "\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# White space that may become a line break: none of the no-break spaces.
_SPACE = r"[^\S\u00a0\u2007\u202f]"
_WORD = re.compile(
    rf"(?P<space>{_SPACE}*)"
    rf"(?P<word>[{_OPENING}]*[{_UNSPACED}][{_CLOSING}]*|(?:(?![{_UNSPACED}{_OPENING}]|{_SPACE}).)+|[{_OPENING}]+)",
    re.DOTALL,
)
_UNSPACED_START = re.compile(f"[{_OPENING}{_UNSPACED}]")
# What would be a bullet, a heading or a quotation at the beginning of a line.
_MARKER = re.compile(r"(?:[-*+>•‣–—]|#+|\d{1,3}[.)])\Z")


class _Layout(NamedTuple):
    """How a paragraph was wrapped: its columns, and the line end with what the next line begins with."""

    width: int
    line_start: str

    @property
    def indent(self) -> int:
        """Return the column where a line's words begin."""
        return len(self.line_start.lstrip("\r\n"))


class _Flow(NamedTuple):
    """Segments of one wrapped paragraph, from `first` up to `behind`; the first begins at `column`."""

    first: int
    behind: int
    column: int
    layout: _Layout


def wrapped_again(batch: SegmentBatch, translations: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the translations of a batch, and the gaps behind them, with the lines of wrapped prose filled again.

    A translation with line breaks of its own, such as a hole's source, keeps them.
    """
    if not any(map(is_wrapped, batch.texts)):
        return translations, batch.gaps
    texts, gaps = list(translations), list(batch.gaps)
    for flow in _flows(batch):
        filling = _Filling(flow.layout, flow.column)
        for at in range(flow.first, flow.behind):
            between, texts[at] = filling.put(gaps[at - 1] if at > flow.first else "", texts[at])
            if at > flow.first:
                gaps[at - 1] = between
        if flow.behind == len(texts) and batch.batch_number + 1 < batch.job.batches and _is_space(gaps[-1]):
            # The next batch knows nothing of this line: it begins its own.
            gaps[-1] = gaps[-1] if is_wrapped(gaps[-1]) else flow.layout.line_start
    return texts, gaps


def _is_space(gap: str) -> bool:
    # The separator counts as white space in Python; behind it another text begins.
    return gap.isspace() and UNIT_SEPARATOR not in gap


def columns_of(text: str) -> int:
    """Return the columns that a text takes."""
    return len(text) if text.isascii() else len(text) + len(_WIDE_CHARACTER.findall(text))


@dataclass
class _Filling:
    """The line that is being filled, and how many columns it has."""

    layout: _Layout
    columns: int

    def put(self, gap: str, text: str) -> tuple[str, str]:
        """Return the gap and the text behind it with their line breaks."""
        first, *rest = [(found["space"], found["word"]) for found in _WORD.finditer(text)] or [("", "")]
        flat = unwrapped(gap) if is_wrapped(gap) else gap
        between = "".join(self._word(found["space"], found["word"]) for found in _WORD.finditer(flat))
        space = flat[len(flat.rstrip()) :]
        if is_wrapped(gap) and _UNSPACED_START.match(text):
            space = ""
        between += self._word(space, first[1]).removesuffix(first[1])
        if is_wrapped(text):
            self.columns = columns_of(text.splitlines()[-1])
            return between, text
        return between, first[1] + "".join(self._word(*one) for one in rest)

    def _word(self, space: str, word: str) -> str:
        """Return the word with what stands before it: a line break where it would not fit."""
        width, start = columns_of(word), self.layout.indent
        is_full = self.columns + len(space) + width > self.layout.width
        if is_full and self.columns > start and not _MARKER.match(word):
            self.columns = start + width
            return self.layout.line_start + word
        self.columns += len(space) + width
        return space + word


def _flows(batch: SegmentBatch) -> Iterator[_Flow]:
    """Yield the paragraphs that went over several lines."""
    source = batch.lead + "".join(map(str.__add__, batch.texts, batch.gaps))
    sizes = [len(text) + len(gap) for text, gap in zip(batch.texts, batch.gaps, strict=True)]
    starts = list(accumulate(sizes, initial=len(batch.lead)))
    found = list(paragraphs(source))
    ends = [one.end for one in found]
    # Segments with a paragraph's end between them do not flow on.
    numbers = [bisect_right(ends, start + len(text)) for start, text in zip(starts, batch.texts, strict=False)]
    starting = [bisect_right(ends, start) for start in starts]
    first = 0
    for behind in range(1, len(batch.texts) + 1):
        if behind < len(batch.texts) and numbers[behind - 1] == starting[behind]:
            continue
        start, end = starts[first], starts[behind - 1] + len(batch.texts[behind - 1])
        if line_break := _LINE_BREAK.search(source, start, end):
            width = max(one.width for one in found[starting[first] : bisect_left(ends, end) + 1])
            layout = _Layout(width, line_break[0])
            is_cut = first == 0 and batch.batch_number > 0 and not batch.lead
            yield _Flow(first, behind, layout.indent if is_cut else _column(source, start), layout)
        first = behind


def _column(source: str, start: int) -> int:
    line_begin = max(source.rfind(sign, 0, start) for sign in ("\n", "\r", UNIT_SEPARATOR)) + 1
    return columns_of(source[line_begin:start])

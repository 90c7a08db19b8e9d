"""Write translations into their places: only the spans of units that changed are replaced.

A unit whose text comes back unchanged keeps its bytes, so a file with nothing translated is the file. A unit may
stand inside a code of another one: a title in the tag of a link, a text box in a paragraph.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.formats.coding import Original
from connectors.formats.refusals import broken_codes
from connectors.formats.splicing import Skeleton, Slot, digest_of
from schemas.coded_text import check, restored

# What no file can hold.
_NOT_WRITABLE = re.compile("[\x00\ud800-\udfff]")

Encode = Callable[[str], str]
# Lays the coded text of a unit out before its codes are restored: wraps its lines.
Layout = Callable[[str, Slot], str]


def as_it_comes(text: str, _slot: Slot) -> str:
    """Lay nothing out."""
    return text


class Change(NamedTuple):
    """A span of a part of the source, and what stands there instead."""

    start: int
    end: int
    text: str
    part: str = ""


# Replaces spans of a text that stands at an offset.
Splice = Callable[[str, Iterable[Change], int], str]


@dataclass(frozen=True)
class Writer:
    """How the texts of a format are written: its encoders by name, its layout, and what its offsets count."""

    encoder_of: Callable[[str], Encode]
    splice: Splice
    layout: Layout = as_it_comes

    def changes(self, skeleton: Skeleton, units: Sequence[str]) -> list[Change]:
        """List what to replace; stamps only if a unit changed. Raises PermanentError: `broken_codes`."""
        slots = sorted(
            zip(skeleton.slots, skeleton.texts(units), strict=True),
            key=lambda one: (one[0].part, one[0].start, -one[0].end),
        )
        changes = [change for branch in _nested(slots) for change in self._changes(branch)]
        if not changes:
            return []
        return [*changes, *(Change(*stamp) for stamp in _outside(skeleton, changes))]

    def _changes(self, branch: "_Branch") -> Iterator[Change]:
        inner = [change for below in branch.inner for change in self._changes(below)]
        slot, text = branch.slot, branch.text
        if digest_of(text) == slot.digest:
            yield from inner
            return
        wrong = check(slot.codes, text)
        if wrong:
            raise broken_codes(wrong, slot.place)
        # No file has a NUL or half a character; those that a source has are codes.
        text = _NOT_WRITABLE.sub("\ufffd", branch.text)
        laid = self.layout(text, slot)
        originals = {code: self._original(original, inner) for code, original in slot.originals.items()}
        whole = restored(slot.lead + laid + slot.trail, originals, self.encoder_of(slot.encoder))
        yield Change(slot.start, slot.end, whole, slot.part)

    def _original(self, original: Original, inner: Sequence[Change]) -> str:
        return "".join(
            self.splice(text, [change for change in inner if at <= change.start < at + len(text)], at)
            if inner and at >= 0
            else text
            for text, at in original
        )


@dataclass
class _Branch:
    """A slot with its text, and the slots inside it."""

    slot: Slot
    text: str
    inner: "list[_Branch]" = field(default_factory=list)


def _nested(slots: Iterable[tuple[Slot, str]]) -> list[_Branch]:
    roots: list[_Branch] = []
    above: list[_Branch] = []
    for slot, text in slots:
        branch = _Branch(slot, text)
        while above and not _holds(above[-1].slot, slot):
            above.pop()
        (above[-1].inner if above else roots).append(branch)
        above.append(branch)
    return roots


def _holds(outer: Slot, inner: Slot) -> bool:
    return outer.part == inner.part and inner.start < outer.end and inner.end <= outer.end


def _outside(skeleton: Skeleton, changes: Iterable[Change]) -> Iterator[tuple[int, int, str, str]]:
    """Yield the stamps that stand in no span that is replaced."""
    # Spans do not overlap, so the last one that begins before a stamp is the only one that may hold it.
    spans = sorted((change.part, change.start, change.end) for change in changes)
    for stamp in skeleton.stamps:
        at = bisect_right(spans, (stamp.part, stamp.start, stamp.end)) - 1
        part, _, end = spans[at] if at >= 0 else ("", 0, -1)
        if part != stamp.part or stamp.start >= end:
            yield stamp


def spliced(source: str, changes: Iterable[Change], at: int = 0) -> str:
    """Replace spans of a text that stands at an offset; they do not overlap."""
    pieces: list[str] = []
    behind = 0
    for start, end, text, _ in sorted(changes):
        pieces += (source[behind : start - at], text)
        behind = end - at
    return "".join((*pieces, source[behind:]))


def spliced_utf8(source: str, changes: Iterable[Change], at: int = 0) -> str:
    """Replace spans that are counted in bytes of UTF-8."""
    pieces: list[bytes] = []
    behind = 0
    encoded = source.encode()
    for start, end, text, _ in sorted(changes):
        pieces += (encoded[behind : start - at], text.encode())
        behind = end - at
    return b"".join((*pieces, encoded[behind:])).decode()

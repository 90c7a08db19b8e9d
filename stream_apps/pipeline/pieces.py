"""Cut the segments of a request into pieces, each of which becomes a batch. Pure.

The pieces of a request have about equally many segments, and there are as many as the workers can share evenly:
the last worker of a long document would otherwise work alone for seconds. Where a piece ends is decided by the
request and the limits alone, so a repeat of the same request gives the same pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from schemas.coded_text import MOST_CODES
from schemas.errors import PermanentError
from schemas.segments import count_words
from stream_apps.pipeline.split import CodeOriginal, Split
from stream_apps.pipeline.tag_attributes import attributes_behind, is_attribute

# The most of one character.
_UTF8_BYTES = 4


@dataclass(frozen=True)
class BatchLimits:
    """The most segments, and the most UTF-8 bytes of source text, of one piece.

    A request of more pieces than `round_of` has a multiple of it, unless their bytes or codes demand more.
    """

    segments: int = 32
    text_bytes: int = 400_000
    round_of: int = 6

    def pieces_of(self, segments: int) -> int:
        """Return into how many pieces so many segments go."""
        least = ceil(segments / self.segments)
        return least if least <= self.round_of else ceil(least / self.round_of) * self.round_of


@dataclass(frozen=True)
class Piece:
    """Consecutive segments that travel in one batch."""

    lead: str
    texts: Sequence[str]
    gaps: Sequence[str]
    words: int
    message_forms: Sequence[str | None] = ()
    codes: Sequence[Sequence[CodeOriginal]] = ()


@dataclass
class _Draft:
    """A piece being filled."""

    lead: str = ""
    texts: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    message_forms: list[str | None] = field(default_factory=list)
    codes: list[Sequence[CodeOriginal]] = field(default_factory=list)
    size_bytes: int = 0

    def has_room(self, size_bytes: int, codes: int, text_bytes: int) -> bool:
        """Tell whether what has that size with its gaps, and so many codes, fits. Anything fits into nothing."""
        is_empty = not (self.lead or self.texts)
        return is_empty or (
            self.size_bytes + size_bytes <= text_bytes and sum(map(len, self.codes)) + codes <= MOST_CODES
        )

    def add(self, text: str, gap: str, size_bytes: int) -> None:
        """Append a segment."""
        self.texts.append(text)
        self.gaps.append(gap)
        self.size_bytes += size_bytes

    @property
    def piece(self) -> Piece:
        """Return what was filled."""
        return _piece(self.lead, self.texts, self.gaps, self.message_forms, self.codes)


def cut(split: Split, limits: BatchLimits) -> list[Piece]:
    """Cut the split into pieces within the limits. Raises PermanentError when one segment alone exceeds them.

    What stands between two segments may be longer than a batch: it goes on in pieces that have a lead alone. A
    sentence and the attributes in its tags are never parted.
    """
    if _fits(split, limits):
        return [_piece(split.lead, split.texts, split.gaps, split.message_forms, split.codes)]
    cutter = _Cutter(split, limits)
    for at in range(len(split.texts)):
        cutter.add(at)
    return [draft.piece for draft in cutter.drafts]


class _Cutter:
    """Adds the segments of a split to drafts, one after the other."""

    def __init__(self, split: Split, limits: BatchLimits) -> None:
        self._split, self._limits = split, limits
        self._wanted = limits.pieces_of(len(split.texts))
        self.drafts = [_led(stretch) for stretch in _stretches(split.lead, limits)] or [_Draft()]
        self._share = self._share_from(0)

    def add(self, at: int) -> None:
        """Append a segment to the last draft, or to a new one where it does not fit."""
        split, limits = self._split, self._limits
        text, near, far = split.texts[at], split.gaps[at], list[str]()
        codes = split.codes[at] if split.codes else ()
        own = len(text.encode()) + _bytes_of(codes)
        size = own + len(near.encode())
        stays = is_attribute(_form(split, at))
        if size + (self.drafts[-1].size_bytes if stays else 0) > limits.text_bytes:
            near, far = "", _stretches(near, limits)
            size = _checked_size(own, limits)
        if not (stays or self._has_room(at, size, len(codes))):
            self._open([_Draft()], at)
        draft = self.drafts[-1]
        draft.add(text, near, size)
        draft.message_forms += split.message_forms[at : at + 1]
        draft.codes += split.codes[at : at + 1]
        if far:
            self._open([_led(stretch) for stretch in far], at + 1)

    def _has_room(self, at: int, size: int, codes: int) -> bool:
        behind = [self._split.texts[one] for one in attributes_behind(self._split.message_forms, at)]
        draft = self.drafts[-1]
        fits = draft.has_room(size + _size_of(behind), codes, self._limits.text_bytes)
        return fits and (not draft.texts or len(draft.texts) + 1 + len(behind) <= self._share)

    def _open(self, drafts: Sequence[_Draft], at: int) -> None:
        self.drafts += drafts
        self._share = self._share_from(at)

    def _share_from(self, at: int) -> int:
        """Return the segments of the last draft, which begins with that one: what is left is shared evenly."""
        left = len(self._split.texts) - at
        others = max(self._wanted - len(self.drafts) + 1, ceil(left / self._limits.segments), 1)
        return ceil(left / others)


def _fits(split: Split, limits: BatchLimits) -> bool:
    """Tell whether surely the whole of it is one batch, as most requests are."""
    characters = len(split.lead) + sum(map(len, split.texts)) + sum(map(len, split.gaps))
    codes = sum(map(len, split.codes))
    size = _UTF8_BYTES * characters + sum(map(_bytes_of, split.codes))
    return len(split.texts) <= limits.segments and codes <= MOST_CODES and size <= limits.text_bytes


def _form(split: Split, at: int) -> str | None:
    return split.message_forms[at] if at < len(split.message_forms) else None


def _size_of(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def _bytes_of(codes: Sequence[CodeOriginal]) -> int:
    return sum(len(one.start.encode()) + len(one.end.encode()) for one in codes)


def _piece(
    lead: str,
    texts: Sequence[str],
    gaps: Sequence[str],
    forms: Sequence[str | None] = (),
    codes: Sequence[Sequence[CodeOriginal]] = (),
) -> Piece:
    return Piece(lead, texts, gaps, sum(map(count_words, texts)), forms, codes)


def _led(lead: str) -> _Draft:
    return _Draft(lead, size_bytes=len(lead.encode()))


def _stretches(gap: str, limits: BatchLimits) -> list[str]:
    """Cut what stands between segments into stretches that fit into a batch, whatever their characters."""
    longest = max(limits.text_bytes // _UTF8_BYTES, 1)
    return [gap[start : start + longest] for start in range(0, len(gap), longest)]


def _checked_size(size_bytes: int, limits: BatchLimits) -> int:
    if size_bytes > limits.text_bytes:
        raise PermanentError(
            "segment_too_large",
            f"one segment has {size_bytes} bytes with its markup",
            field="text",
            limit=f"{limits.text_bytes} bytes",
            cure="send shorter sentences, and refer to pictures by their address",
        )
    return size_bytes

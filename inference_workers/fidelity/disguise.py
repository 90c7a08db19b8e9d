"""Put numbered masks in the place of what an engine must not change, and put it back. Pure."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from inference_workers.fidelity.parts import Parts
from schemas.segments import trimmed


class Restored(NamedTuple):
    """A translation with everything in its place, and the stretches of it that the engine wrote."""

    text: str
    written: tuple[str, ...]


class _Mask(NamedTuple):
    """A hidden piece, and on which sides it touches a word: there the engine sees a space that was not there."""

    hidden: str
    is_mark: bool
    touches_before: bool
    touches_behind: bool


class Disguise(NamedTuple):
    """A text as an engine sees it. What stands before and behind it is not sent. For `disguised`.

    `is_framed_before`: its first stretch is all that stands between a mark that is not sent and a mask; so may its
    last be, `is_framed_behind`.
    """

    before: str
    sent: str
    behind: str
    stretches: tuple[str, ...]
    masks: tuple[_Mask, ...]
    style: str
    is_framed_before: bool = False
    is_framed_behind: bool = False

    def restored(self, translated: str, *, is_loud: bool = False) -> Restored | None:
        """Put each hidden piece back, the words in capitals if `is_loud`.

        Returns None unless every mask is there exactly once, apart from the words around it.
        """
        body = translated.strip()
        if not self.masks:
            return None if _has_mask(body, self.style) else self._whole(body, is_loud=is_loud)
        found = list(_mask_pattern(self.style).finditer(body))
        order = [int(one[1]) for one in found]
        if sorted(order) != list(range(len(self.masks))):
            return None
        written: list[str] = []
        at = 0
        for one in found:
            written.append(body[at : one.start()])
            at = one.end()
        written.append(body[at:])
        pieces = self._fitted(order, written)
        if pieces is None or not self._are_marks_in_place(order, written):
            return None
        if is_loud:
            pieces = [piece if number % 2 else piece.upper() for number, piece in enumerate(pieces)]
        return Restored(self.before + "".join(pieces) + self.behind, tuple(written))

    def _whole(self, body: str, *, is_loud: bool) -> Restored:
        return Restored(self.before + (body.upper() if is_loud else body) + self.behind, (body,))

    def _fitted(self, order: Sequence[int], written: Sequence[str]) -> list[str] | None:
        """Return stretches and hidden pieces in turn; None where a mask has grown together with a word."""
        pieces = [written[0]]
        for number, behind in zip(order, written[1:], strict=True):
            mask = self.masks[number]
            if mask.touches_before:
                pieces[-1] = pieces[-1].removesuffix(" ")
            elif _ends_in_letter(pieces[-1]):
                return None
            pieces.append(mask.hidden)
            if mask.touches_behind:
                behind = behind.removeprefix(" ")  # noqa: PLW2901  # the stretch as it will stand
            elif _ends_in_letter(behind[:1]):
                return None
            pieces.append(behind)
        return pieces

    def _are_marks_in_place(self, order: Sequence[int], written: Sequence[str]) -> bool:
        """Tell whether marks are in their order, and what stood right between two of them has not slipped out."""
        marks = [number for number in order if self.masks[number].is_mark]
        if marks != sorted(marks):
            return False
        framed = {
            number
            for number, (mask, following) in enumerate(pairwise(self.masks))
            if mask.is_mark and following.is_mark and mask.touches_behind and following.touches_before
        }
        edges = [
            *(written[:1] if self.is_framed_before else ()),
            *(written[-1:] if self.is_framed_behind else ()),
        ]
        inside = [written[at + 1] for at, number in enumerate(order) if number in framed]
        return all(map(_has_letter, (*edges, *inside)))


def disguised(parts: Parts, style: str) -> Disguise:
    """Return the text with a numbered mask for each hidden piece but those at the edges. `style` has {} for it."""
    if not parts.hidden:
        return _plain(parts.plain[0], style)
    head, tail = parts.edges
    first, last = head, len(parts.hidden) - tail
    before = "".join(_woven(parts.plain[:first], parts.hidden[:first]))
    behind = "".join(_woven(parts.hidden[last:], parts.plain[last + 1 :]))
    plain, hidden = parts.plain[first : last + 1], parts.hidden[first:last]
    masks = tuple(
        _Mask(piece, is_mark, _ends_in_letter(plain[number]), _ends_in_letter(plain[number + 1][:1]))
        for number, (piece, is_mark) in enumerate(zip(hidden, parts.marks[first:last], strict=True))
    )
    pieces = [plain[0]]
    for number, mask in enumerate(masks):
        pieces += [" "] * mask.touches_before + [style.format(number)] + [" "] * mask.touches_behind
        pieces.append(plain[number + 1])
    lead, bare, trail = trimmed("".join(pieces))
    framed_before = head > 0 and masks[:1] and masks[0].is_mark and _is_tight(plain[0])
    framed_behind = tail > 0 and masks[-1:] and masks[-1].is_mark and _is_tight(plain[-1])
    return Disguise(
        before + lead, bare, trail + behind, plain, masks, style, bool(framed_before), bool(framed_behind)
    )


def _plain(text: str, style: str) -> Disguise:
    return Disguise(*trimmed(text), (text,), (), style)


def _woven(ones: Sequence[str], others: Sequence[str]) -> list[str]:
    return [piece for pair in zip(ones, others, strict=True) for piece in pair]


def _is_tight(text: str) -> bool:
    return _ends_in_letter(text) and _ends_in_letter(text[:1])


def _has_letter(text: str) -> bool:
    return any(map(str.isalnum, text))


def _ends_in_letter(text: str) -> bool:
    # Scripts without spaces may stand beside a mask.
    return text[-1:].isalnum() and text[-1:] < "\u2e80"


def _has_mask(text: str, style: str) -> bool:
    # To look for a word is many times as fast.
    return style.partition("{}")[0].lower() in text.lower() and _mask_pattern(style).search(text) is not None


@cache
def _mask_pattern(style: str) -> re.Pattern[str]:
    before, _, behind = style.partition("{}")
    return re.compile(rf"{re.escape(before)} ?(\d{{1,6}}){re.escape(behind)}", re.IGNORECASE | re.ASCII)

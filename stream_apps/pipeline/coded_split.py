"""Split a unit with inline codes (schemas/coded_text.py): its sentences are those of the text without codes. Pure.

A code that stands alone right between two words, such as a line break, is a space to them. A code stays in its
segment where it stands amid words, or with its other half around some of them. What stands at the edges goes into
the gaps, so a sentence that is bold as a whole is plain to the engine.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.coded_text import (
    CODE,
    ISOLATED,
    LAST,
    codes_of,
    detagged,
    edged,
    is_closing,
    is_code,
    is_opening,
    number_of,
)
from stream_apps.pipeline.split import Split

_ALONE = re.compile(f"[{chr(ISOLATED)}-{chr(LAST)}](?={CODE.pattern}*[^\\s{CODE.pattern[1:-1]}])")
# Codes beside a code are few.
_NEAR = 64


def split_coded(unit: str, split: Callable[[str], Split]) -> Split:
    """Return the split of a unit; joined, it is the unit.

    A unit that holds a message is split as it is: what stood around its branches moves into them.
    """
    if not CODE.search(unit):
        return split(unit)
    spaces = _spaces(unit)
    plain = "".join(
        " " if at in spaces else one for at, one in enumerate(unit) if at in spaces or not is_code(one)
    )
    found = split(plain)
    if any(found.message_forms) or found.joined() != plain:
        return split(unit)
    weaver = _Weaver(unit, spaces)
    between = [weaver.outside(found.lead)]
    texts: list[str] = []
    for text, gap in zip(found.texts, found.gaps, strict=True):
        before, coded, behind = edged(weaver.inside(text))
        between[-1] += before
        texts.append(coded)
        between.append(behind + weaver.outside(gap))
    between[-1] += weaver.rest()
    return found._replace(lead=between[0], texts=tuple(texts), gaps=tuple(between[1:]))


def _spaces(unit: str) -> frozenset[int]:
    """Return where codes stand alone between two words, without white space on either side."""
    found: list[int] = []
    for code in _ALONE.finditer(unit):
        before = detagged(unit[max(code.start() - _NEAR, 0) : code.start()])
        if before and not before[-1].isspace() and not _is_beside(unit, code.start(), found):
            found.append(code.start())
    return frozenset(found)


def _is_beside(unit: str, at: int, found: Sequence[int]) -> bool:
    """Tell whether nothing but codes stands between a code and the last one that was found."""
    return bool(found) and at - found[-1] < _NEAR and not detagged(unit[found[-1] : at])


@dataclass
class _Weaver:
    """Takes a unit piece by piece, each with the codes that belong to it."""

    unit: str
    spaces: frozenset[int]
    at: int = 0

    def outside(self, plain: str) -> str:
        """Take what stands between two segments, with the codes around it that belong to neither."""
        start = self.at
        self._skip(plain)
        # Those behind it, up to the first that begins a pair around words of the next segment.
        for code in self._codes_here():
            if is_opening(code):
                break
            self.at += 1
        return self.unit[start : self.at]

    def inside(self, plain: str) -> str:
        """Take a segment with all codes amid its words, and behind it those that close what it opened."""
        start = self.at
        self._skip(plain)
        opened = {number_of(code) for code in codes_of(self.unit[start : self.at]) if is_opening(code)}
        for code in self._codes_here():
            if not (is_closing(code) and number_of(code) in opened):
                break
            self.at += 1
        return self.unit[start : self.at]

    def rest(self) -> str:
        """Take what is left."""
        start, self.at = self.at, len(self.unit)
        return self.unit[start:]

    def _skip(self, plain: str) -> None:
        """Move behind that many characters that are no codes, or spaces to the sentences."""
        left = len(plain)
        while left:
            left -= self.at in self.spaces or not is_code(self.unit[self.at])
            self.at += 1

    def _codes_here(self) -> Sequence[str]:
        end = self.at
        while end < len(self.unit) and CODE.match(self.unit, end):
            end += 1
        return self.unit[self.at : end]

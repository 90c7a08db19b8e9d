"""Split a unit with inline codes (schemas/coded_text.py): its sentences are those of the text without codes. Pure.

A code stays in its segment where it stands amid words, or with its other half around some of them. What stands at
the edges goes into the gaps, so a sentence that is bold as a whole is plain to the engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.coded_text import CODE, codes_of, detagged, edged, is_closing, is_opening, number_of
from stream_apps.pipeline.split import Split


def split_coded(unit: str, split: Callable[[str], Split]) -> Split:
    """Return the split of a unit; joined, it is the unit.

    A unit that holds a message is split as it is: what stood around its branches moves into them.
    """
    if not CODE.search(unit):
        return split(unit)
    plain = detagged(unit)
    found = split(plain)
    if any(found.message_forms) or found.joined() != plain:
        return split(unit)
    weaver = _Weaver(unit)
    between = [weaver.outside(found.lead)]
    texts: list[str] = []
    for text, gap in zip(found.texts, found.gaps, strict=True):
        before, coded, behind = edged(weaver.inside(text))
        between[-1] += before
        texts.append(coded)
        between.append(behind + weaver.outside(gap))
    between[-1] += weaver.rest()
    return found._replace(lead=between[0], texts=tuple(texts), gaps=tuple(between[1:]))


@dataclass
class _Weaver:
    """Takes a unit piece by piece, each with the codes that belong to it."""

    unit: str
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
        """Move behind that many characters that are no codes."""
        left = len(plain)
        while left:
            left -= not CODE.match(self.unit, self.at)
            self.at += 1

    def _codes_here(self) -> Sequence[str]:
        end = self.at
        while end < len(self.unit) and CODE.match(self.unit, end):
            end += 1
        return self.unit[self.at : end]

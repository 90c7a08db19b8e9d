"""Put pairs of inline codes around the right words of a translation that was made without them. Pure.

The words of a pair are looked for under their own translation. Words that stand otherwise in a sentence than alone
are recognised by their likeness. Outer pairs are placed first, and inner ones inside them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import NamedTuple

from schemas.coded_text import (
    CODE,
    ISOLATED,
    check,
    closing,
    codes_of,
    detagged,
    has_codes,
    is_closing,
    is_opening,
    number_of,
    opening,
)

# Beyond them a sentence is all markup.
MOST_PAIRS = 12
# How alike words are that are taken for the same, from 0 to 1; what counts for beginning or ending with the same
# word, and what is taken off for those at the other end of the text.
_LEAST_LIKENESS, _WORTH_OF_EDGE, _PRICE_OF_DISTANCE = 0.72, 0.1, 0.3
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")


class Span(NamedTuple):
    """Where something stands in a text, `start` to `end`."""

    start: int
    end: int

    @property
    def middle(self) -> float:
        """Return where its middle is."""
        return (self.start + self.end) / 2


class Pair(NamedTuple):
    """A pair of codes and where its words stand in the text without pairs; `around` are the pairs around it."""

    number: int
    span: Span
    around: tuple[int, ...]

    @property
    def outer(self) -> int | None:
        """Return the nearest pair around it."""
        return self.around[-1] if self.around else None


@dataclass(frozen=True)
class PairedText:
    """A coded text, the same without its pairs, and these, outer ones first. Codes that stand alone stay."""

    coded: str
    plain: str
    pairs: tuple[Pair, ...]

    def words_of(self, pair: Pair) -> str:
        """Return the words of a pair, without codes among them."""
        return detagged(self.plain[pair.span.start : pair.span.end])

    def edges_of(self, pair: Pair) -> tuple[str, str]:
        """Return what is no word at both edges of a pair: white space, signs, codes."""
        start, end = pair.span
        words = list(_WORD.finditer(self.plain, start, end))
        return (self.plain[start : words[0].start()], self.plain[words[-1].end() : end]) if words else ("", "")


def paired(coded: str) -> PairedText | None:
    """Set the pairs of a text aside; None where it has none, or too many. Halves of pairs stay where they are."""
    if not has_codes(coded):
        return None
    numbers = _whole_pairs(coded)
    if not 0 < len(numbers) <= MOST_PAIRS:
        return None
    pairs: list[Pair] = []
    still_open: list[tuple[int, int]] = []
    removed = 0
    for code in CODE.finditer(coded):
        number = number_of(code[0])
        if ord(code[0]) >= ISOLATED or number not in numbers:
            continue
        at = code.start() - removed
        removed += 1
        if is_opening(code[0]):
            still_open.append((number, at))
        else:
            _, start = still_open.pop()
            pairs.append(Pair(number, Span(start, at), tuple(one for one, _ in still_open)))
    halves = {half(number) for number in numbers for half in (opening, closing)}
    plain = "".join(one for one in coded if one not in halves)
    return PairedText(coded, plain, tuple(sorted(pairs, key=lambda pair: (len(pair.around), pair.span))))


def _whole_pairs(coded: str) -> set[int]:
    """Return the numbers of the pairs that open and close once in the text and cross no other."""
    codes = codes_of(coded)
    whole: set[int] = set()
    still_open: list[int] = []
    for code in codes:
        if is_opening(code):
            still_open.append(number_of(code))
        elif is_closing(code) and number_of(code) in still_open:
            while still_open.pop() != number_of(code):
                pass
            whole.add(number_of(code))
    # Plain text may hold these characters too, in any number.
    counts = Counter(codes)
    return {number for number in whole if counts[opening(number)] == counts[closing(number)] == 1}


@dataclass
class Placing:
    """The translation of a text without its pairs, and the places of its pairs as far as they are known."""

    text: PairedText
    translation: str
    _places: dict[int, Span] = field(default_factory=dict, init=False)

    def place(self, wordings: Mapping[int, Iterable[str]]) -> None:
        """Give each pair that has none yet its place, where one of its wordings stands in the translation."""
        for pair in self.text.pairs:
            if pair.number in self._places:
                continue
            room = self._room(pair)
            found = (self._find(pair, wording, room) for wording in wordings.get(pair.number, ()))
            if span := next(filter(None, found), None):
                self._places[pair.number] = span

    def projected(self) -> str | None:
        """Return the translation with all its codes; None where one has no place, or is out of its pair."""
        if len(self._places) < len(self.text.pairs):
            return None
        pieces: list[str] = []
        at = 0
        for place, _, code in sorted(mark for pair in self.text.pairs for mark in self._marks(pair)):
            pieces += (self.translation[at:place], code)
            at = place
        text = "".join((*pieces, self.translation[at:]))
        return text if check(self.text.coded, text) is None else None

    def _marks(self, pair: Pair) -> Iterator[tuple[int, tuple[int, int], str]]:
        """Yield both codes with their places; at one place what closes goes first, and inner ones close first."""
        start, end = self._places[pair.number]
        yield start, (1, len(pair.around)), opening(pair.number)
        yield end, (0, -len(pair.around)), closing(pair.number)

    def _room(self, pair: Pair) -> list[Span]:
        """Return the stretches where the pair may stand: inside its outer one, beside those that are placed."""
        whole = Span(0, len(self.translation)) if pair.outer is None else self._places.get(pair.outer)
        if whole is None:
            return []
        beside = {one.number for one in self.text.pairs if one.outer == pair.outer}
        taken = sorted(span for number, span in self._places.items() if number in beside)
        edges = [whole.start, *(at for span in taken for at in span), whole.end]
        return [Span(*both) for both in zip(edges[::2], edges[1::2], strict=True)]

    def _find(self, pair: Pair, wording: str, room: Sequence[Span]) -> Span | None:
        words = [word.casefold() for word in _WORD.findall(wording)]
        wanted = pair.span.middle / max(len(self.text.plain), 1)
        ranked = [
            (likeness - _PRICE_OF_DISTANCE * abs(span.middle / len(self.translation) - wanted), span, stretch)
            for stretch in room
            for likeness, span in _alike(self.translation, stretch, words)
        ]
        if not ranked:
            return None
        _, span, stretch = max(ranked)
        return self._with_edges(pair, span, stretch)

    def _with_edges(self, pair: Pair, span: Span, within: Span) -> Span:
        """Take along what stands at the edges of the pair in the source, too."""
        before, behind = self.text.edges_of(pair)
        start, end = span
        while start > within.start and self.translation[start - 1] in before:
            start -= 1
        while end < within.end and self.translation[end] in behind:
            end += 1
        return Span(start, end)


def words_between(coded: str) -> dict[int, str]:
    """Return the words of each pair of a translation that kept its codes."""
    found = paired(coded)
    return {pair.number: found.words_of(pair) for pair in found.pairs} if found else {}


def _alike(text: str, within: Span, words: Sequence[str]) -> Iterator[tuple[float, Span]]:
    """Yield the runs of words in a stretch that are like the words, each with how much speaks for it."""
    found = list(_WORD.finditer(text, within.start, within.end))
    # The matcher remembers its second text.
    matcher = SequenceMatcher(None, "", " ".join(words), autojunk=False)
    # Longer wordings may gain or lose more words in a sentence.
    slack = 1 + len(words) // 4
    for count in range(max(len(words) - slack, 1), len(words) + slack + 1) if words else ():
        for at in range(len(found) - count + 1):
            run = found[at : at + count]
            said = [word[0].casefold() for word in run]
            if likeness := _likeness(matcher, " ".join(said)):
                edges = (said[0] == words[0]) + (said[-1] == words[-1])
                yield likeness + _WORTH_OF_EDGE * edges, Span(run[0].start(), run[-1].end())


def _likeness(matcher: "SequenceMatcher[str]", text: str) -> float | None:
    """Return how alike a text is, None where that is too little; most are told by their letters alone."""
    matcher.set_seq1(text)
    if matcher.real_quick_ratio() < _LEAST_LIKENESS or matcher.quick_ratio() < _LEAST_LIKENESS:
        return None
    likeness = matcher.ratio()
    return likeness if likeness >= _LEAST_LIKENESS else None

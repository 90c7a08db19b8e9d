"""Compare two translations of each text: how many are equal, and how far apart the others are. Pure.

The similarity of two texts is `difflib.SequenceMatcher.ratio` of the standard library over their words: twice
the matching words divided by all words, 1.0 for equal texts. It tells how much an editor would see change, not
which of the two is better.
"""

from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

# The similarity of texts that differ in white space only.
_NEARLY_EQUAL = 0.9999


@dataclass(frozen=True)
class TextPair:
    """Both texts of a request; None where that side failed or has no answer."""

    key: str
    past: str | None
    replayed: str | None
    segments: int
    words: int

    @property
    def similarity(self) -> float:
        """Return the similarity of the two texts, 0 to 1."""
        return similarity(self.past or "", self.replayed or "")


@dataclass
class Comparison:
    """The pairs of a replay, the seconds of translating, and what was skipped, counted by reason."""

    pairs: list[TextPair] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def report(self, most_different: int, *, with_texts: bool) -> dict[str, Any]:
        """Return all figures and the `most_different` pairs; texts only if asked for."""
        both = [pair for pair in self.pairs if pair.past is not None and pair.replayed is not None]
        scored = sorted(((pair.similarity, pair) for pair in both), key=lambda one: (one[0], one[1].key))
        words = sum(pair.words for pair in self.pairs)
        return {
            "requests": len(self.pairs),
            "skipped": dict(self.skipped.most_common()),
            "segments": sum(pair.segments for pair in self.pairs),
            "words": words,
            "words_per_second": round(words / self.seconds, 1) if self.seconds else None,
            "equal": sum(pair.past == pair.replayed for pair in both),
            "different": sum(pair.past != pair.replayed for pair in both),
            "only_past_failed": sum(pair.past is None and pair.replayed is not None for pair in self.pairs),
            "only_replay_failed": sum(pair.past is not None and pair.replayed is None for pair in self.pairs),
            "both_failed": sum(pair.past is None and pair.replayed is None for pair in self.pairs),
            "mean_similarity": round(sum(score for score, _ in scored) / len(scored), 4) if scored else None,
            "most_different": [
                _described(score, pair, with_texts) for score, pair in scored[:most_different] if score < 1
            ],
        }


def similarity(one: str, other: str) -> float:
    """Return 0 to 1, over words; texts that differ in white space only are nearly equal, never fully."""
    if one == other:
        return 1.0
    return min(SequenceMatcher(None, one.split(), other.split()).ratio(), _NEARLY_EQUAL)


def _described(score: float, pair: TextPair, with_texts: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"key": pair.key, "similarity": round(score, 4)}
    return described | {"past": pair.past, "replayed": pair.replayed} if with_texts else described

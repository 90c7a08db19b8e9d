"""Tell how far two translations of the same texts are apart, and how far that may be chance. Pure.

The paired bootstrap of Koehn 2004 (Statistical Significance Tests for Machine Translation Evaluation). Texts with
one reference are one sentence with other spans in it, no independent observations: they are drawn together.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, quantiles
from typing import NamedTuple

from sacrebleu.metrics.chrf import CHRF

_RESAMPLES = 1000
_SHARES = 40  # The first and the last of so many parts are cut off: 95 % remain.


class Interval(NamedTuple):
    """Between what a difference is, in points of chrF, with a likelihood of 95 %."""

    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.least:+.1f} to {self.most:+.1f}"


def difference(texts: Sequence[str], others: Sequence[str], references: Sequence[str]) -> Interval:
    """Return by how much the mean chrF of texts is above that of the others; the same at every call."""
    metric = CHRF()
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for text, other, reference in zip(texts, others, references, strict=True):
        lead = (
            0.0
            if text == other
            else metric.sentence_score(text, [reference]).score - metric.sentence_score(other, [reference]).score
        )
        groups[reference].append(lead)
    return _interval(list(groups.values()))


def _interval(groups: Sequence[Sequence[float]]) -> Interval:
    chance = random.Random(1)
    means = [_mean(chance.choices(groups, k=len(groups))) for _ in range(_RESAMPLES)] if groups else [0.0] * 2
    parts = quantiles(means, n=_SHARES)
    return Interval(round(parts[0], 2), round(parts[-1], 2))


def _mean(groups: Sequence[Sequence[float]]) -> float:
    return fmean(lead for group in groups for lead in group)

"""Measure the platform and the bare engine in turn, B P B P B, and compare each leg with its two neighbours.

A machine that others use, too, changes its speed within seconds, and one leg of each side then says little: the
same code reached 0.66 to 1.00 of the engine in seven runs of one hour. So the engine works for a few seconds
before and after each leg of the platform, which stands still meanwhile (SIGSTOP). The sides are compared by words
a second, because they translate different sentences.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from statistics import fmean, median

from schemas.segments import count_words
from tests.bench.engine import StandingEngine
from tests.bench.figures import Leg
from tests.bench.harness import Platform

# A platform that stands still for longer loses its memberships in Kafka's groups.
_ENGINE_SECONDS = 4.0


@dataclass(frozen=True)
class Turns:
    """The legs of both sides: one of the engine more, before and after each of the platform.

    `rates`: words a second of each leg, the engine's and the platform's.
    """

    bare: Sequence[Leg]
    ours: Sequence[Leg]
    rates: tuple[Sequence[float], Sequence[float]]

    @property
    def share(self) -> float:
        """Return the median share of the engine's rate that the platform reached."""
        bare, ours = self.rates
        return median(own / fmean(around) for own, around in zip(ours, pairwise(bare), strict=True))

    @property
    def middle(self) -> Leg:
        """Return the leg of the platform with the median rate, the slower one of two."""
        return sorted(self.ours, key=lambda leg: leg.per_second)[(len(self.ours) - 1) // 2]

    @property
    def legs(self) -> list[Leg]:
        """Return all legs as they came."""
        return [self.bare[0], *chain.from_iterable(zip(self.ours, self.bare[1:], strict=True))]


def in_turn(
    platform: Platform, engine: StandingEngine, parts: Sequence[list[str]], leg_of: Callable[[list[str]], Leg]
) -> Turns:
    """Have the platform translate each part, and the engine some sentences of it before and after."""
    bare, ours = [_engine_leg(platform, engine, parts[0])], []
    for part in parts:
        ours.append(leg_of(part))
        bare.append(_engine_leg(platform, engine, part))
    rates = list(_words_per_second(bare, [parts[0], *parts])), list(_words_per_second(ours, parts))
    return Turns(bare, ours, rates)


def parts_of(texts: list[str], count: int) -> list[list[str]]:
    """Divide the texts into so many parts of the same length."""
    size = len(texts) // count
    return [texts[at * size : (at + 1) * size] for at in range(count)]


def _engine_leg(platform: Platform, engine: StandingEngine, part: list[str]) -> Leg:
    with platform.alone():
        return engine.leg(part, _ENGINE_SECONDS)


def _words_per_second(legs: Sequence[Leg], parts: Sequence[Sequence[str]]) -> Iterator[float]:
    for leg, part in zip(legs, parts, strict=True):
        yield leg.per_second * fmean(map(count_words, part))

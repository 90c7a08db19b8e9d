"""Draw when which fault happens. Pure: the same seed, number of kills and kinds give the same schedule."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import Action, FaultKind

# Kills for each fault of the other kinds.
_KILLS_PER_DISTURBANCE = 2.4


@dataclass(frozen=True)
class Fault:
    """One fault. `choice` in 0..1 picks one of the live processes of its role."""

    at_seconds: float
    kind: FaultKind
    lasts_seconds: float
    choice: float


def schedule(seed: int, kills: int, pace_seconds: float, kinds: Sequence[FaultKind]) -> list[Fault]:
    """Draw exactly that many kills, about one every `pace_seconds`, and the other kinds between them; by time."""
    chance = random.Random(f"faults {seed}")
    deadly = [kind for kind in kinds if kind.action is Action.KILL]
    others = [kind for kind in kinds if kind.action is not Action.KILL]
    disturbances = int(kills / _KILLS_PER_DISTURBANCE) if others else 0
    slots = [
        *((slot, deadly) for slot in _slots(kills, pace_seconds, chance)),
        *((slot, others) for slot in _slots(disturbances, pace_seconds * _KILLS_PER_DISTURBANCE, chance)),
    ]
    free_at: dict[str, float] = {}
    faults = [_fault(at, wanted, free_at, chance) for at, wanted in sorted(slots, key=lambda slot: slot[0])]
    return sorted(faults, key=lambda fault: fault.at_seconds)


def _slots(count: int, pace_seconds: float, chance: random.Random) -> list[float]:
    return [(number + chance.random()) * pace_seconds for number in range(count)]


def _fault(at: float, kinds: Sequence[FaultKind], free_at: dict[str, float], chance: random.Random) -> Fault:
    """Choose among the kinds that have rested; if none has, wait for the one that rests first."""
    rested = [kind for kind in kinds if free_at.get(kind.family, 0.0) <= at]
    if rested:
        (kind,) = chance.choices(rested, [kind.weight for kind in rested])
    else:
        kind = min(kinds, key=lambda kind: free_at[kind.family])
        at = free_at[kind.family]
    lasts = chance.uniform(*kind.lasts_seconds)
    free_at[kind.family] = at + lasts + kind.rest_seconds
    return Fault(at, kind, lasts, chance.random())

"""Decide how many replicas a pool should have: the demand-bound rule on a snapshot and a policy. Pure.

The rule is from real-time scheduling (Baruah, Mok and Rosier, "Preemptively scheduling hard-real-time sporadic
tasks on one processor", 1990): all deadlines are kept if, for every horizon, the work that falls due within it is
no more than the work that can be done within it. Where it is more, replicas are missing. docs/autoscaling.md
derives the formulas.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.priorities import SLA_SECONDS, Priority

# A load below one hundredth of a replica is the tail of an average, not work.
_NEGLIGIBLE_REPLICAS = 0.01


@dataclass(frozen=True)
class WaitingWork:
    """The uncommitted work of one priority, including what a worker is translating at this moment.

    `words_per_second` is the rate at which more arrives.
    """

    backlog_words: float = 0.0
    words_per_second: float = 0.0
    oldest_seconds: float = 0.0


@dataclass(frozen=True)
class PastNeed:
    """How many replicas an earlier decision found necessary."""

    seconds_ago: float
    replicas: int


@dataclass(frozen=True)
class Snapshot:
    """What is known of a pool at one moment, in words and seconds: everything that a decision depends on.

    `pending_seconds`: for each replica that was requested and is not ready, the time until it will be.
    `past` has no gap between now and its oldest entry.
    `steady_seconds`: the time since the last decision for fewer replicas.
    """

    waiting: Mapping[Priority, WaitingWork]
    replica_words_per_second: float
    startup_seconds: float
    ready: int
    pending_seconds: tuple[float, ...] = ()
    past: tuple[PastNeed, ...] = ()
    steady_seconds: float = math.inf

    @property
    def current(self) -> int:
        """Return how many replicas are ready or starting."""
        return self.ready + len(self.pending_seconds)


@dataclass(frozen=True)
class Policy:
    """What an operator chooses: bounds, service levels and reserves. Times in seconds, shares from 0 to 1."""

    min_replicas: int
    max_replicas: int
    sla_seconds: Mapping[Priority, float] = field(default_factory=lambda: dict(SLA_SECONDS))
    sla_share: float = 0.8
    service_floor_seconds: float = 5.0
    utilisation: float = 0.75
    scale_in_utilisation: float = 0.8
    shortest_horizon_seconds: float = 15.0
    scale_in_window_seconds: float = 300.0
    scale_in_pause_seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_replicas <= self.max_replicas:
            raise ValueError(f"replicas: 0 <= {self.min_replicas} <= {self.max_replicas} is not true")

    def deadline_seconds(self, priority: Priority) -> float:
        """Return the age at which a word should be translated: the SLA less a reserve and the other stages."""
        usable = self.sla_seconds[priority] * self.sla_share - self.service_floor_seconds
        return max(usable, self.shortest_horizon_seconds)

    def within_bounds(self, replicas: int) -> int:
        """Return the nearest number within the bounds."""
        return min(max(replicas, self.min_replicas), self.max_replicas)


class ScalingReason(StrEnum):
    """Why a decision was made; also the label of a metric."""

    STEADY = "steady"
    DEADLINE = "deadline"
    ARRIVALS = "arrivals"
    SCALE_IN = "scale_in"
    WINDOW = "window"
    BOUNDS = "bounds"
    BLIND = "blind"


@dataclass(frozen=True)
class ScalingDecision:
    """How many replicas the pool should have, and why.

    `needed` is what is needed at this moment, within the bounds; `replicas` also respects the scale-in window.
    `out_of_reach`: priorities with a deadline that a new replica would start too late to keep.
    """

    replicas: int
    needed: int
    reason: ScalingReason
    out_of_reach: tuple[Priority, ...] = ()


@dataclass(frozen=True)
class _Shortage:
    """How many replicas are missing for one horizon of one priority."""

    priority: Priority
    replicas: int
    is_out_of_reach: bool


def replicas_wanted(snapshot: Snapshot, policy: Policy) -> ScalingDecision:
    """Decide, always within the bounds. Fewer than now only if no deadline was at risk for a whole window."""
    shortages = list(_shortages(snapshot, policy))
    raw, reason = _needed(snapshot, policy, max((found.replicas for found in shortages), default=0))
    needed, current = policy.within_bounds(raw), snapshot.current
    replicas = needed if needed >= current else policy.within_bounds(max(needed, _held(snapshot, policy)))
    if raw > policy.max_replicas or current != policy.within_bounds(current):
        reason = ScalingReason.BOUNDS
    elif replicas > needed:
        reason = ScalingReason.WINDOW
    elif needed < current:
        reason = ScalingReason.SCALE_IN
    lost = {found.priority for found in shortages if found.is_out_of_reach}
    return ScalingDecision(replicas, needed, reason, tuple(priority for priority in Priority if priority in lost))


def _needed(snapshot: Snapshot, policy: Policy, missing: int) -> tuple[int, ScalingReason]:
    """Return what is needed at this moment, regardless of the bounds."""
    current, steady = snapshot.current, _for_arrivals(snapshot, policy)
    if missing:
        return max(steady, current + missing), ScalingReason.DEADLINE
    if steady > current:
        return steady, ScalingReason.ARRIVALS
    if _is_late(snapshot, policy):
        return current, ScalingReason.STEADY
    return max(steady, min(current, _sufficient(snapshot, policy))), ScalingReason.STEADY


def _for_arrivals(snapshot: Snapshot, policy: Policy) -> int:
    """Return how many replicas keep the backlog from growing, at the chosen utilisation."""
    arriving = sum(waiting.words_per_second for waiting in snapshot.waiting.values())
    replicas = arriving / (snapshot.replica_words_per_second * policy.utilisation)
    return math.ceil(replicas - _NEGLIGIBLE_REPLICAS)


def _shortages(snapshot: Snapshot, policy: Policy) -> Iterator[_Shortage]:
    for priority, horizon in _horizons(snapshot, policy):
        deficit = _demand(snapshot, policy, horizon) - _supply(snapshot, horizon)
        if deficit > 0:
            useful = horizon - snapshot.startup_seconds
            is_out_of_reach = useful <= policy.shortest_horizon_seconds
            seconds = horizon if is_out_of_reach else useful
            replicas = math.ceil(deficit / (snapshot.replica_words_per_second * seconds))
            yield _Shortage(priority, replicas, is_out_of_reach)


def _horizons(snapshot: Snapshot, policy: Policy) -> Iterator[tuple[Priority, float]]:
    """Yield the horizons where demand jumps or bends: only there can it first exceed supply."""
    for priority, waiting in snapshot.waiting.items():
        deadline = policy.deadline_seconds(priority)
        yield priority, max(policy.shortest_horizon_seconds, deadline - waiting.oldest_seconds)
        yield priority, deadline


def _demand(snapshot: Snapshot, policy: Policy, horizon: float) -> float:
    """Sum the words that fall due within the horizon: those that wait, and those that will have arrived."""
    words = 0.0
    for priority, waiting in snapshot.waiting.items():
        deadline = policy.deadline_seconds(priority)
        if deadline - waiting.oldest_seconds <= horizon:
            words += waiting.backlog_words
        words += waiting.words_per_second * max(0.0, horizon - deadline)
    return words


def _supply(snapshot: Snapshot, horizon: float) -> float:
    """Sum the words that ready and pending replicas can translate within the horizon."""
    pending = sum(max(0.0, horizon - seconds) for seconds in snapshot.pending_seconds)
    return snapshot.replica_words_per_second * (snapshot.ready * horizon + pending)


def _sufficient(snapshot: Snapshot, policy: Policy) -> int:
    """Return the fewest replicas that keep every deadline, with the reserve that a scale-in requires."""
    speed = snapshot.replica_words_per_second * policy.scale_in_utilisation
    needs = (_demand(snapshot, policy, horizon) / (speed * horizon) for _, horizon in _horizons(snapshot, policy))
    return math.ceil(max(needs, default=0.0))


def _is_late(snapshot: Snapshot, policy: Policy) -> bool:
    return any(
        waiting.backlog_words > 0 and waiting.oldest_seconds >= policy.deadline_seconds(priority)
        for priority, waiting in snapshot.waiting.items()
    )


def _held(snapshot: Snapshot, policy: Policy) -> int:
    """Return how many replicas must stay: the most that were needed in the window.

    All stay until one whole window was seen, and for a pause after each scale-in, so that a lull causes few
    rebalances of the group.
    """
    window = policy.scale_in_window_seconds
    seen_seconds = max((past.seconds_ago for past in snapshot.past), default=0.0)
    if seen_seconds < window or snapshot.steady_seconds < policy.scale_in_pause_seconds:
        return snapshot.current
    peak = max((past.replicas for past in snapshot.past if past.seconds_ago <= window), default=0)
    return min(snapshot.current, peak)

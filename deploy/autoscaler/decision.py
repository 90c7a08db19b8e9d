"""How many replicas a pool should have: the demand-bound rule. Pure.

From real-time scheduling (Baruah, Mok and Rosier, "Preemptively scheduling hard-real-time sporadic tasks on
one processor", 1990): deadlines are kept if for every horizon the work that falls due within it is no more
than the work that can be done within it. Where it is more, replicas are missing; docs/autoscaling.md derives
the formulas.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from deploy.autoscaler.policy import Policy
from deploy.autoscaler.snapshot import Snapshot
from schemas.priorities import Priority

# A load below one hundredth of a replica is the tail of an average, not work.
_NEGLIGIBLE_REPLICAS = 0.01


class ScalingReason(StrEnum):
    """Why a decision is as it is; also a metric's label."""

    STEADY = "steady"
    DEADLINE = "deadline"
    ARRIVALS = "arrivals"
    SCALE_IN = "scale_in"
    WINDOW = "window"
    BOUNDS = "bounds"
    BLIND = "blind"


@dataclass(frozen=True)
class ScalingDecision:
    """`needed` is what the moment asks for, within the bounds; `replicas` also minds the scale-in window.

    `out_of_reach`: priorities with a deadline that no new replica can start early enough to save.
    """

    replicas: int
    needed: int
    reason: ScalingReason
    out_of_reach: tuple[Priority, ...] = ()


@dataclass(frozen=True)
class _Shortage:
    """Replicas that are missing for one horizon of one priority."""

    priority: Priority
    replicas: int
    is_out_of_reach: bool


def replicas_wanted(snapshot: Snapshot, policy: Policy) -> ScalingDecision:
    """Never outside the bounds. Fewer than now only if no deadline is at risk, for a whole window."""
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
    """What the moment asks for, whatever the bounds."""
    current, steady = snapshot.current, _for_arrivals(snapshot, policy)
    if missing:
        return max(steady, current + missing), ScalingReason.DEADLINE
    if steady > current:
        return steady, ScalingReason.ARRIVALS
    if _is_late(snapshot, policy):
        return current, ScalingReason.STEADY
    return max(steady, min(current, _sufficient(snapshot, policy))), ScalingReason.STEADY


def _for_arrivals(snapshot: Snapshot, policy: Policy) -> int:
    """Enough that the backlog does not grow, with the chosen utilisation."""
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
    """Where demand jumps or bends: only there can it exceed supply for the first time."""
    for priority, waiting in snapshot.waiting.items():
        deadline = policy.deadline_seconds(priority)
        yield priority, max(policy.shortest_horizon_seconds, deadline - waiting.oldest_seconds)
        yield priority, deadline


def _demand(snapshot: Snapshot, policy: Policy, horizon: float) -> float:
    """Words that fall due within the horizon: those that wait, and those that will have arrived."""
    words = 0.0
    for priority, waiting in snapshot.waiting.items():
        deadline = policy.deadline_seconds(priority)
        if deadline - waiting.oldest_seconds <= horizon:
            words += waiting.backlog_words
        words += waiting.words_per_second * max(0.0, horizon - deadline)
    return words


def _supply(snapshot: Snapshot, horizon: float) -> float:
    """Words that ready and pending replicas can translate within the horizon."""
    pending = sum(max(0.0, horizon - seconds) for seconds in snapshot.pending_seconds)
    return snapshot.replica_words_per_second * (snapshot.ready * horizon + pending)


def _sufficient(snapshot: Snapshot, policy: Policy) -> int:
    """The fewest replicas that keep every deadline with the margin that scale-in wants."""
    speed = snapshot.replica_words_per_second * policy.scale_in_utilisation
    needs = (_demand(snapshot, policy, horizon) / (speed * horizon) for _, horizon in _horizons(snapshot, policy))
    return math.ceil(max(needs, default=0.0))


def _is_late(snapshot: Snapshot, policy: Policy) -> bool:
    return any(
        waiting.backlog_words > 0 and waiting.oldest_seconds >= policy.deadline_seconds(priority)
        for priority, waiting in snapshot.waiting.items()
    )


def _held(snapshot: Snapshot, policy: Policy) -> int:
    """What must stay: the most that was needed in the window; all, until the window is over once.

    All also for a pause after each scale-in, so that a lull costs the group few rebalances.
    """
    window = policy.scale_in_window_seconds
    seen_seconds = max((past.seconds_ago for past in snapshot.past), default=0.0)
    if seen_seconds < window or snapshot.steady_seconds < policy.scale_in_pause_seconds:
        return snapshot.current
    peak = max((past.replicas for past in snapshot.past if past.seconds_ago <= window), default=0)
    return min(snapshot.current, peak)

"""Run the autoscaler's turns: measure, decide, tell the fleet, publish metrics.

The controller remembers two things between turns: which replicas are starting, and what earlier decisions found
necessary.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

import structlog

from connectors.telemetry import metrics
from deploy.autoscaler.decision import PastNeed, Policy, ScalingDecision, ScalingReason, Snapshot, replicas_wanted
from deploy.autoscaler.fleet import Fleet, RequestedReplicas
from deploy.autoscaler.measurement import Meter, PoolMeasurement
from schemas.errors import TransientError

log = structlog.get_logger()

_REMEMBERED_STARTUPS = 10
# A process that was frozen has seen nothing meanwhile.
_MOST_MISSED_TURNS = 3


@dataclass(frozen=True)
class ScalingState:
    """The result of a turn.

    While nothing can be measured `snapshot` is None and the decision is the last one; None before the first.
    """

    decision: ScalingDecision | None
    snapshot: Snapshot | None = None
    blind_because: str = ""


class Controller:
    """For one thread. No outage ends it: the last decision holds, and nothing is scaled in unmeasured."""

    def __init__(
        self,
        pool: str,
        fleet: Fleet,
        policy: Policy,
        first_startup_seconds: float,
        interval_seconds: float = 5.0,
    ) -> None:
        self._pool = pool
        self._fleet = fleet
        self._policy = policy
        self._startups = StartupTracker(first_startup_seconds)
        longest_gap = max(policy.scale_in_window_seconds / 2, _MOST_MISSED_TURNS * interval_seconds)
        self._history = NeedHistory(policy.scale_in_window_seconds, longest_gap)
        self._last: ScalingDecision | None = None

    def turn(self, meter: Meter, now: float) -> ScalingState:
        """Take one turn at `now`, in seconds of a clock that is never set."""
        try:
            measured = meter.measure(now)
            requested = self._fleet.requested(measured.ready)
            snapshot = self._snapshot(measured, requested, now)
            decision = replicas_wanted(snapshot, self._policy)
            self._history.add(decision, snapshot.current, now)
            self._tell_fleet(decision, requested, now)
        except TransientError as error:
            return self.blind_turn(str(error))
        self._remember(decision)
        _publish(self._pool, snapshot, decision, requested)
        return ScalingState(decision, snapshot)

    def blind_turn(self, because: str) -> ScalingState:
        """Take a turn without a measurement: the last decision holds, and the scale-in window starts again."""
        self._history.forget()
        if self._last is None:
            return ScalingState(None, blind_because=because)
        decision = replace(self._last, reason=ScalingReason.BLIND)
        self._remember(decision)
        _publish_decision(self._pool, decision)
        return ScalingState(decision, blind_because=because)

    def _snapshot(self, measured: PoolMeasurement, requested: RequestedReplicas, now: float) -> Snapshot:
        self._startups.observe(requested.replicas, measured.ready, now)
        return Snapshot(
            waiting=measured.waiting,
            replica_words_per_second=measured.replica_words_per_second,
            startup_seconds=self._startups.startup_seconds,
            # More than requested are ready while the surplus is stopping; the surplus does not count.
            ready=min(measured.ready, requested.replicas),
            pending_seconds=self._startups.pending_seconds(now),
            past=self._history.past(now),
            steady_seconds=self._history.steady_seconds(now),
        )

    def _tell_fleet(self, decision: ScalingDecision, requested: RequestedReplicas, now: float) -> None:
        if requested.is_pinned:
            return
        is_overdue = self._startups.is_overdue(now)
        # The first decision is sent in any case: a killed predecessor may not have sent its last one.
        if decision.replicas != requested.replicas or is_overdue or self._last is None:
            self._fleet.request(decision.replicas)
        if is_overdue:
            self._startups.restart_pending(now)

    def _remember(self, decision: ScalingDecision) -> None:
        if self._last is None or (decision.replicas, decision.reason) != (self._last.replicas, self._last.reason):
            log.info("decided", pool=self._pool, replicas=decision.replicas, reason=decision.reason.value)
        self._last = decision


class StartupTracker:
    """Tracks the replicas that were requested and are not ready: how long they take, and when they will be ready.

    Times in seconds.
    """

    def __init__(self, first_startup_seconds: float) -> None:
        self._first_startup_seconds = first_startup_seconds
        self._requested_at: deque[float] = deque()
        self._took_seconds: deque[float] = deque(maxlen=_REMEMBERED_STARTUPS)
        self._ready: int | None = None

    def observe(self, requested: int, ready: int, now: float) -> None:
        """Take in how many replicas are requested and ready. One more that is ready ends the oldest startup."""
        newly_ready = 0 if self._ready is None else max(ready - self._ready, 0)
        self._ready = ready
        ended = min(newly_ready, len(self._requested_at))
        self._took_seconds.extend([now - self._requested_at.popleft() for _ in range(ended)])
        pending = max(requested - ready, 0)
        while len(self._requested_at) > pending:
            self._requested_at.pop()
        self._requested_at.extend([now] * (pending - len(self._requested_at)))

    @property
    def startup_seconds(self) -> float:
        """Return about the 90th percentile of the last startups; the assumed duration until one was seen."""
        longest_first = sorted(self._took_seconds, reverse=True)
        return (
            longest_first[len(longest_first) // _REMEMBERED_STARTUPS]
            if longest_first
            else self._first_startup_seconds
        )

    def pending_seconds(self, now: float) -> tuple[float, ...]:
        """Return the time until each is ready. An overdue one counts as just begun, since nothing is known."""
        left = (self.startup_seconds - (now - at) for at in self._requested_at)
        return tuple(seconds if seconds > 0 else self.startup_seconds for seconds in left)

    def restart_pending(self, now: float) -> None:
        """Count all pending startups from now on, because they were requested again."""
        self._requested_at = deque([now] * len(self._requested_at))

    def is_overdue(self, now: float) -> bool:
        """Tell whether a startup takes more than twice as long as usual; its request may have been lost."""
        return bool(self._requested_at) and now - self._requested_at[0] > 2 * self.startup_seconds


class NeedHistory:
    """What earlier decisions found necessary, for a little more than one scale-in window. Times in seconds.

    A little more, so that one can see whether a whole window has passed. Behind a longer gap it begins anew.
    """

    def __init__(self, window_seconds: float, longest_gap_seconds: float = math.inf) -> None:
        self._window_seconds = window_seconds
        self._longest_gap_seconds = longest_gap_seconds
        self._needs: deque[tuple[float, int]] = deque()
        self._scaled_in_at = -math.inf

    def add(self, decision: ScalingDecision, current: int, now: float) -> None:
        """Add a decision made at `now`, when there were `current` replicas."""
        self._needs.append((now, decision.needed))
        if decision.replicas < current:
            self._scaled_in_at = now
        while len(self._needs) > 1 and now - self._needs[1][0] >= self._window_seconds:
            self._needs.popleft()

    def forget(self) -> None:
        """Start the window again, after a time without measurements."""
        self._needs.clear()

    def steady_seconds(self, now: float) -> float:
        """Return the time since the last decision for fewer replicas."""
        return now - self._scaled_in_at

    def past(self, now: float) -> tuple[PastNeed, ...]:
        """Return the needs, the oldest first."""
        if self._needs and now - self._needs[-1][0] > self._longest_gap_seconds:
            self.forget()
        return tuple(PastNeed(now - at, replicas) for at, replicas in self._needs)


def _publish(pool: str, snapshot: Snapshot, decision: ScalingDecision, requested: RequestedReplicas) -> None:
    for state, replicas in (("ready", snapshot.ready), ("asked", requested.replicas)):
        metrics.AUTOSCALER_REPLICAS.labels(pool, state).set(replicas)
    for priority, waiting in snapshot.waiting.items():
        metrics.AUTOSCALER_BACKLOG_WORDS.labels(pool, priority).set(waiting.backlog_words)
        metrics.AUTOSCALER_OLDEST_SECONDS.labels(pool, priority).set(waiting.oldest_seconds)
        metrics.AUTOSCALER_ARRIVING_WORDS_PER_SECOND.labels(pool, priority).set(waiting.words_per_second)
    metrics.AUTOSCALER_REPLICA_WORDS_PER_SECOND.labels(pool).set(snapshot.replica_words_per_second)
    _publish_decision(pool, decision)
    for priority in decision.out_of_reach:
        metrics.AUTOSCALER_OUT_OF_REACH.labels(pool, priority).inc()


def _publish_decision(pool: str, decision: ScalingDecision) -> None:
    metrics.AUTOSCALER_REPLICAS.labels(pool, "wanted").set(decision.replicas)
    metrics.AUTOSCALER_DECISIONS.labels(pool, decision.reason).inc()

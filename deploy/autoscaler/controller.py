"""Replicas that were asked for and are not ready: when they will be, and how long a start takes.

What earlier decisions found necessary: the memory of the scale-in window.

What the autoscaler shows of itself: its metrics.

One turn after the other: measure, decide, ask the fleet.
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

_REMEMBERED_STARTS = 10


class Starts:
    """Told again and again how many are asked for and ready. Times in seconds."""

    def __init__(self, first_startup_seconds: float) -> None:
        self._first_startup_seconds = first_startup_seconds
        self._asked_at: deque[float] = deque()
        self._took_seconds: deque[float] = deque(maxlen=_REMEMBERED_STARTS)
        self._ready: int | None = None

    def observe(self, asked: int, ready: int, now: float) -> None:
        """The oldest start is taken for the one that ended."""
        came = 0 if self._ready is None else max(ready - self._ready, 0)
        self._ready = ready
        for at in [self._asked_at.popleft() for _ in range(min(came, len(self._asked_at)))]:
            self._took_seconds.append(now - at)
        pending = max(asked - ready, 0)
        while len(self._asked_at) > pending:
            self._asked_at.pop()
        self._asked_at.extend([now] * (pending - len(self._asked_at)))

    @property
    def startup_seconds(self) -> float:
        """About the 90th percentile of the last starts; what was assumed until one was seen."""
        longest_first = sorted(self._took_seconds, reverse=True)
        return (
            longest_first[len(longest_first) // _REMEMBERED_STARTS]
            if longest_first
            else self._first_startup_seconds
        )

    def pending_seconds(self, now: float) -> tuple[float, ...]:
        """When each will be ready. One that is overdue counts as just begun: nobody knows."""
        left = (self.startup_seconds - (now - at) for at in self._asked_at)
        return tuple(seconds if seconds > 0 else self.startup_seconds for seconds in left)

    def begin_again(self, now: float) -> None:
        """All that are pending were asked for once more."""
        self._asked_at = deque([now] * len(self._asked_at))

    def is_overdue(self, now: float) -> bool:
        """Whether one takes more than twice as long as usual: perhaps nobody is starting it."""
        return bool(self._asked_at) and now - self._asked_at[0] > 2 * self.startup_seconds


class NeedHistory:
    """Keeps a little more than one window, so that it can be seen to be over. Times in seconds."""

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._found: deque[tuple[float, int]] = deque()
        self._scaled_in_at = -math.inf

    def add(self, decision: ScalingDecision, current: int, now: float) -> None:
        """That was decided at that time, while there were `current` replicas."""
        self._found.append((now, decision.needed))
        if decision.replicas < current:
            self._scaled_in_at = now
        while len(self._found) > 1 and now - self._found[1][0] >= self._window_seconds:
            self._found.popleft()

    def forget(self) -> None:
        """Nothing was seen for a while: the window begins anew."""
        self._found.clear()

    def steady_seconds(self, now: float) -> float:
        """Since the last decision for fewer replicas."""
        return now - self._scaled_in_at

    def past(self, now: float) -> tuple[PastNeed, ...]:
        """The oldest first."""
        return tuple(PastNeed(now - at, replicas) for at, replicas in self._found)


def publish(pool: str, snapshot: Snapshot, decision: ScalingDecision, asked: int) -> None:
    """After a turn that measured."""
    for state, replicas in (("ready", snapshot.ready), ("asked", asked)):
        metrics.AUTOSCALER_REPLICAS.labels(pool, state).set(replicas)
    for priority, waiting in snapshot.waiting.items():
        metrics.AUTOSCALER_BACKLOG_WORDS.labels(pool, priority).set(waiting.backlog_words)
        metrics.AUTOSCALER_OLDEST_SECONDS.labels(pool, priority).set(waiting.oldest_seconds)
        metrics.AUTOSCALER_ARRIVING_WORDS_PER_SECOND.labels(pool, priority).set(waiting.words_per_second)
    metrics.AUTOSCALER_REPLICA_WORDS_PER_SECOND.labels(pool).set(snapshot.replica_words_per_second)
    publish_decision(pool, decision)
    for priority in decision.out_of_reach:
        metrics.AUTOSCALER_OUT_OF_REACH.labels(pool, priority).inc()


def publish_decision(pool: str, decision: ScalingDecision) -> None:
    """After every turn."""
    metrics.AUTOSCALER_REPLICAS.labels(pool, "wanted").set(decision.replicas)
    metrics.AUTOSCALER_DECISIONS.labels(pool, decision.reason).inc()


log = structlog.get_logger()


@dataclass(frozen=True)
class ScalingState:
    """What holds after a turn.

    While nothing can be measured `snapshot` is None and the decision an old one; None before the first.
    """

    decision: ScalingDecision | None
    snapshot: Snapshot | None = None
    blind_because: str = ""


class Controller:
    """For one thread. No outage ends it: what was decided stands, and nobody is sent away blindly."""

    def __init__(self, pool: str, fleet: Fleet, policy: Policy, first_startup_seconds: float) -> None:
        self._pool = pool
        self._fleet = fleet
        self._policy = policy
        self._starts = Starts(first_startup_seconds)
        self._history = NeedHistory(policy.scale_in_window_seconds)
        self._last: ScalingDecision | None = None

    def turn(self, meter: Meter, now: float) -> ScalingState:
        """At `now`, in seconds since the epoch."""
        try:
            measured = meter.measure(now)
            asked = self._fleet.asked(measured.ready)
            snapshot = self._snapshot(measured, asked, now)
            decision = replicas_wanted(snapshot, self._policy)
            self._history.add(decision, snapshot.current, now)
            self._tell_fleet(decision, asked, now)
        except TransientError as error:
            return self.blind(str(error))
        self._note(decision)
        publish(self._pool, snapshot, decision, asked.replicas)
        return ScalingState(decision, snapshot)

    def blind(self, because: str) -> ScalingState:
        """Nothing could be measured: what was decided stands, and the scale-in window begins anew."""
        self._history.forget()
        if self._last is None:
            return ScalingState(None, blind_because=because)
        decision = replace(self._last, reason=ScalingReason.BLIND)
        self._note(decision)
        publish_decision(self._pool, decision)
        return ScalingState(decision, blind_because=because)

    def _snapshot(self, measured: PoolMeasurement, asked: RequestedReplicas, now: float) -> Snapshot:
        self._starts.observe(asked.replicas, measured.ready, now)
        return Snapshot(
            waiting=measured.waiting,
            replica_words_per_second=measured.replica_words_per_second,
            startup_seconds=self._starts.startup_seconds,
            # Those that are stopping do not count.
            ready=min(measured.ready, asked.replicas),
            pending_seconds=self._starts.pending_seconds(now),
            past=self._history.past(now),
            steady_seconds=self._history.steady_seconds(now),
        )

    def _tell_fleet(self, decision: ScalingDecision, asked: RequestedReplicas, now: float) -> None:
        if asked.is_pinned:
            return
        is_overdue = self._starts.is_overdue(now)
        # The first time in any case: a killed predecessor may have decided and told nobody.
        if decision.replicas != asked.replicas or is_overdue or self._last is None:
            self._fleet.ask(decision.replicas)
        if is_overdue:
            self._starts.begin_again(now)

    def _note(self, decision: ScalingDecision) -> None:
        if self._last is None or (decision.replicas, decision.reason) != (self._last.replicas, self._last.reason):
            log.info("decided", pool=self._pool, replicas=decision.replicas, reason=decision.reason.value)
        self._last = decision

"""One turn after the other: measure, decide, ask the fleet."""

from dataclasses import dataclass, replace

import structlog

from deploy.autoscaler import report
from deploy.autoscaler.decision import ScalingDecision, ScalingReason, replicas_wanted
from deploy.autoscaler.fleet import RequestedReplicas, Fleet
from deploy.autoscaler.measurement import PoolMeasurement, Meter
from deploy.autoscaler.need_history import NeedHistory
from deploy.autoscaler.policy import Policy
from deploy.autoscaler.snapshot import Snapshot
from deploy.autoscaler.starts import Starts
from schemas.errors import TransientError

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
        report.publish(self._pool, snapshot, decision, asked.replicas)
        return ScalingState(decision, snapshot)

    def blind(self, because: str) -> ScalingState:
        """Nothing could be measured: what was decided stands, and the scale-in window begins anew."""
        self._history.forget()
        if self._last is None:
            return ScalingState(None, blind_because=because)
        decision = replace(self._last, reason=ScalingReason.BLIND)
        self._note(decision)
        report.publish_decision(self._pool, decision)
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

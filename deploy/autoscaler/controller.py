"""One turn after the other: measure, decide, ask the fleet."""

from dataclasses import dataclass, replace

import structlog

from deploy.autoscaler import report
from deploy.autoscaler.decision import Decision, Reason, replicas_wanted
from deploy.autoscaler.fleet import Asked, Fleet
from deploy.autoscaler.measurement import Measured, Meter
from deploy.autoscaler.need_history import NeedHistory
from deploy.autoscaler.policy import Policy
from deploy.autoscaler.snapshot import Snapshot
from deploy.autoscaler.starts import Starts
from schemas.errors import TransientError

log = structlog.get_logger()


@dataclass(frozen=True)
class Standing:
    """What holds after a turn.

    While nothing can be measured `snapshot` is None and the decision an old one; None before the first.
    """

    decision: Decision | None
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
        self._last: Decision | None = None

    def turn(self, meter: Meter, now: float) -> Standing:
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
        return Standing(decision, snapshot)

    def blind(self, because: str) -> Standing:
        """Nothing could be measured: what was decided stands, and the scale-in window begins anew."""
        self._history.forget()
        if self._last is None:
            return Standing(None, blind_because=because)
        decision = replace(self._last, reason=Reason.BLIND)
        self._note(decision)
        report.publish_decision(self._pool, decision)
        return Standing(decision, blind_because=because)

    def _snapshot(self, measured: Measured, asked: Asked, now: float) -> Snapshot:
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

    def _tell_fleet(self, decision: Decision, asked: Asked, now: float) -> None:
        if asked.is_pinned:
            return
        is_overdue = self._starts.is_overdue(now)
        # The first time in any case: a killed predecessor may have decided and told nobody.
        if decision.replicas != asked.replicas or is_overdue or self._last is None:
            self._fleet.ask(decision.replicas)
        if is_overdue:
            self._starts.begin_again(now)

    def _note(self, decision: Decision) -> None:
        if self._last is None or (decision.replicas, decision.reason) != (self._last.replicas, self._last.reason):
            log.info("decided", pool=self._pool, replicas=decision.replicas, reason=decision.reason.value)
        self._last = decision

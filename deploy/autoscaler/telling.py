"""Tell the reports what the autoscaler decided: each time the wanted number or its reason changes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.autoscaler.controller import ScalingState
from deploy.autoscaler.decision import ScalingDecision, Snapshot
from schemas.codec import Codec
from schemas.events import OperationEvent
from schemas.ids import event_id
from schemas.states import OperationKind
from stream_apps.runtime.sending import RecordSender, tell_operations


@dataclass
class DecisionTeller:
    """Call it with the state of every turn. What cannot be told is told at the next turn, if it still stands."""

    instance: str
    pool: str
    sender: RecordSender
    codec: Codec
    now_ms: Callable[[], int]
    _told: tuple[int, str] | None = field(default=None, init=False)

    def __call__(self, state: ScalingState) -> None:
        """Send the decision if it is another one than the last. Blocks for a second at most, and never raises."""
        decision = state.decision
        if decision is None or self._told == (decision.replicas, decision.reason):
            return
        if tell_operations([self._event(decision, state.snapshot)], self.sender, self.codec):
            self._told = (decision.replicas, decision.reason)

    def _event(self, decision: ScalingDecision, snapshot: Snapshot | None) -> OperationEvent:
        at = self.now_ms()
        return OperationEvent(
            event_id=event_id(OperationKind.SCALING, self.instance, self.pool, at),
            kind=OperationKind.SCALING,
            actor=self.instance,
            pool=self.pool,
            state=str(decision.reason),
            at=at,
            figures=figures_of(decision, snapshot),
            priorities=[str(priority) for priority in decision.out_of_reach],
        )


def figures_of(decision: ScalingDecision, snapshot: Snapshot | None) -> dict[str, float]:
    """Return what was wanted and what was known, by name; nothing is known in a blind turn."""
    wanted = {"replicas": float(decision.replicas), "needed": float(decision.needed)}
    if snapshot is None:
        return wanted
    known = {
        "ready": float(snapshot.ready),
        "pending": float(len(snapshot.pending_seconds)),
        "replica_words_per_second": snapshot.replica_words_per_second,
        "startup_seconds": snapshot.startup_seconds,
    }
    for priority, waiting in snapshot.waiting.items():
        known[f"backlog_words.{priority}"] = waiting.backlog_words
        known[f"arriving_words_per_second.{priority}"] = waiting.words_per_second
        known[f"oldest_seconds.{priority}"] = waiting.oldest_seconds
    return wanted | known

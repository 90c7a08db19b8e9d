"""Tell the reports what the autoscaler decided: each time the wanted number or its reason changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from deploy.autoscaler.controller import ScalingState
from deploy.autoscaler.decision import ScalingDecision, Snapshot
from schemas.codec import Codec
from schemas.errors import DragomanError
from schemas.events import OperationEvent
from schemas.ids import event_id
from schemas.records import OutboundRecord
from schemas.states import OperationKind
from schemas.topics import OPERATIONS

log = structlog.get_logger()

_SEND_SECONDS = 1.0


class Sender(Protocol):
    """Where records are sent (connectors.kafka.producer.DurableProducer)."""

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None:
        """Store the records durably before returning. Raises TransientError."""


@dataclass
class DecisionTeller:
    """Call it with the state of every turn. What cannot be told is told at the next turn, if it still stands."""

    instance: str
    pool: str
    sender: Sender
    codec: Codec
    now_ms: Callable[[], int]
    _told: tuple[int, str] | None = field(default=None, init=False)

    def __call__(self, state: ScalingState) -> None:
        """Send the decision if it is another one than the last. Blocks for a second at most, and never raises."""
        decision = state.decision
        if decision is None or self._told == (decision.replicas, decision.reason):
            return
        try:
            self.sender.send([self._record(decision, state.snapshot)], _SEND_SECONDS)
            self._told = (decision.replicas, decision.reason)
        except DragomanError as error:
            log.warning("decision_not_told", error=str(error))

    def _record(self, decision: ScalingDecision, snapshot: Snapshot | None) -> OutboundRecord:
        at = self.now_ms()
        event = OperationEvent(
            event_id=event_id(OperationKind.SCALING, self.instance, self.pool, at),
            kind=OperationKind.SCALING,
            actor=self.instance,
            pool=self.pool,
            state=str(decision.reason),
            at=at,
            figures=figures_of(decision, snapshot),
            priorities=[str(priority) for priority in decision.out_of_reach],
        )
        return OutboundRecord(OPERATIONS, self.instance.encode(), self.codec.encode(event))


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

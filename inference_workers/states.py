"""Tell the reports what a worker is doing: starting, ready, draining, and until when. For cost, not for control.

A record at each change and one every few minutes. A worker that is killed was there until its last record.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from inference_workers.answers import WorkerIdentity
from schemas.codec import Codec
from schemas.events import OperationEvent
from schemas.ids import event_id
from schemas.states import OperationKind, WorkerState, cut_at_full_hours
from stream_apps.runtime.repeating import repeating
from stream_apps.runtime.sending import RecordSender, tell_operations

# A few hours without Kafka; a worker tells two pieces at each full hour.
_MOST_UNTOLD = 1000


@dataclass
class StateIntervals:
    """The intervals of one worker, cut at full hours so that each record replaces the one before it. Pure."""

    identity: WorkerIdentity
    state: WorkerState
    since_ms: int

    def until(self, now_ms: int) -> list[OperationEvent]:
        """Return what is not told yet, and go on from the last full hour."""
        events = list(self._pieces(now_ms))
        if events:
            self.since_ms = events[-1].since
        return events

    def enter(self, state: WorkerState, now_ms: int) -> list[OperationEvent]:
        """Return the end of the present state, and begin another."""
        events = self.until(now_ms)
        self.state, self.since_ms = state, now_ms
        return events

    def _pieces(self, now_ms: int) -> Iterator[OperationEvent]:
        return (self._event(*piece) for piece in cut_at_full_hours(self.since_ms, now_ms))

    def _event(self, since: int, at: int) -> OperationEvent:
        who = self.identity
        return OperationEvent(
            event_id=event_id(OperationKind.WORKER, who.worker, self.state, since, at),
            kind=OperationKind.WORKER,
            actor=who.worker,
            pool=who.pool,
            device=who.device,
            market=who.market,
            state=str(self.state),
            since=since,
            at=at,
        )


@dataclass
class StateTeller:
    """Sends the intervals. What cannot be sent is logged and sent with the next; it never stops the worker."""

    intervals: StateIntervals
    sender: RecordSender
    codec: Codec
    now_ms: Callable[[], int]
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _untold: list[OperationEvent] = field(default_factory=list, init=False)

    def enter(self, state: WorkerState) -> None:
        """Tell that the worker does something else from now on. Blocks for a second at most."""
        with self._lock:
            self._send(self.intervals.enter(state, self.now_ms()))

    def tell(self) -> None:
        """Tell that it still does the same. Blocks for a second at most."""
        with self._lock:
            self._send(self.intervals.until(self.now_ms()))

    def _send(self, events: Sequence[OperationEvent]) -> None:
        self._untold = [*self._untold, *events][-_MOST_UNTOLD:]
        if tell_operations(self._untold, self.sender, self.codec):
            self._untold = []


@contextmanager
def telling(teller: StateTeller, every_seconds: float) -> Iterator[StateTeller]:
    """Tell the state again and again on a thread of its own, and for the last time at the end."""

    def turn() -> float:
        teller.tell()
        return every_seconds

    try:
        with repeating("states", turn, every_seconds):
            yield teller
    finally:
        teller.tell()

"""Send outputs without waiting, and tell which records have all of theirs stored.

The usage of a second goes as records of its own, at the second's end. A record is acknowledged when its outputs
and the usage of its second are stored.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol

from connectors.kafka.commit_tracker import Ticket
from connectors.kafka.producer import OnDone
from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.records import OutboundRecord

_REFUSED_RETRY_SECONDS = 3.0


class Sender(Protocol):
    """Stores records (connectors.kafka.producer.DurableProducer)."""

    def send_async(self, record: OutboundRecord, on_done: OnDone) -> None:
        """Queue the record; `on_done(None)` once stored, `on_done(error)` if it never will be, on any thread."""


@dataclass
class _Awaited:
    """A record whose outputs are on their way, or the usage of a second, which `members` wait for."""

    left: int
    ticket: Ticket | None = None
    members: list["_Awaited"] = field(default_factory=list)


class _Report(NamedTuple):
    """What became of one output. `sent_since` tells reports from before a restart."""

    awaited: _Awaited
    size_bytes: int
    sent_since: int
    error: DragomanError | None


class Outbox:
    """For one thread; reports of delivery may come on any. `clock` counts seconds."""

    def __init__(self, sender: Sender, clock: Callable[[], float] = time.monotonic) -> None:
        self._sender = sender
        self._clock = clock
        self._reports: SimpleQueue[_Report] = SimpleQueue()
        self._acknowledged: list[Ticket] = []
        self._without_usage: list[_Awaited] = []
        self._failure: DragomanError | None = None
        self._restarts = 0
        self._on_their_way = 0
        self._heard_at = clock()
        self.unacknowledged_bytes = 0

    def send(self, ticket: Ticket, outputs: Sequence[OutboundRecord], *, has_usage: bool) -> None:
        """Send what a record led to, perhaps nothing. `has_usage`: it waits for the next usage, too."""
        awaited = _Awaited(len(outputs) + has_usage, ticket)
        if has_usage:
            self._without_usage.append(awaited)
        self._send(awaited, outputs)

    def send_usage(self, records: Sequence[OutboundRecord]) -> None:
        """Send the usage of everything that was sent since the last call."""
        members, self._without_usage = self._without_usage, []
        self._send(_Awaited(len(records), members=members), records)

    def acknowledged(self) -> list[Ticket]:
        """Return the records that became acknowledged since the last call."""
        while True:
            try:
                self._note(self._reports.get_nowait())
            except Empty:
                break
        tickets, self._acknowledged = self._acknowledged, []
        return tickets

    def check(self) -> None:
        """Raise the first failure since the last restart: what failed will never be stored.

        What Kafka finds too large is a TransientError too: the limit of a topic can be raised, an answer cannot be
        dropped.
        """
        if isinstance(self._failure, PermanentError):
            raise TransientError(str(self._failure), _REFUSED_RETRY_SECONDS)
        if self._failure is not None:
            raise self._failure

    def wait(self, seconds: float) -> None:
        """Block until everything sent is acknowledged, something failed, or the time is up."""
        end = self._clock() + seconds
        while self._on_their_way and self._failure is None and (left := end - self._clock()) > 0:
            try:
                self._note(self._reports.get(timeout=left))
            except Empty:
                return

    def restart(self) -> None:
        """Forget what is on its way: its records come again, whatever becomes of it."""
        self._restarts += 1
        self._failure = None
        self._on_their_way = self.unacknowledged_bytes = 0
        self._acknowledged, self._without_usage = [], []

    @property
    def is_empty(self) -> bool:
        """Tell whether everything sent is acknowledged."""
        return not self._on_their_way

    @property
    def silent_seconds(self) -> float:
        """Return for how long nothing was acknowledged although something is on its way; 0 if nothing is."""
        return self._clock() - self._heard_at if self._on_their_way else 0.0

    def _send(self, awaited: _Awaited, records: Sequence[OutboundRecord]) -> None:
        if not self._on_their_way:
            self._heard_at = self._clock()
        self._on_their_way += len(records)
        for record in records:
            size, restarts = len(record.value or b""), self._restarts
            self.unacknowledged_bytes += size

            def report(error: DragomanError | None, size: int = size, restarts: int = restarts) -> None:
                self._reports.put(_Report(awaited, size, restarts, error))

            self._sender.send_async(record, report)
        if not records:
            self._settle(awaited)

    def _note(self, report: _Report) -> None:
        if report.sent_since != self._restarts:
            return
        self._heard_at = self._clock()
        self._on_their_way -= 1
        self.unacknowledged_bytes -= report.size_bytes
        if report.error is not None:
            self._failure = self._failure or report.error
            return
        report.awaited.left -= 1
        self._settle(report.awaited)

    def _settle(self, awaited: _Awaited) -> None:
        if awaited.left:
            return
        if awaited.ticket is not None:
            self._acknowledged.append(awaited.ticket)
        for member in awaited.members:
            member.left -= 1
            self._settle(member)

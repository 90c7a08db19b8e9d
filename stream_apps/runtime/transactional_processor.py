"""Turn records into outputs and commit both in one Kafka transaction, again and again.

One cycle:

1. `RecordSource.take` returns the records of the cycle.
2. `RecordHandler.handle` returns all outputs. Bad input becomes a dead letter, which is an output like any other.
3. `OutputTransactions.commit` writes the outputs and the offsets of every reader: all of them or none.
   `confirm` is called within it, when the outputs are stored and nothing is committed yet.
4. `RecordHandler.committed` learns that the outputs are visible to all.

A transaction costs the broker by itself, hardly by its records. So a cycle without outputs commits nothing: its
offsets ride along with the next one that has outputs, within `longest_uncommitted_seconds`. Until then its records
would come again, so handling them twice must do no harm.

What an error does: stream_apps/runtime/retrying_loop.py.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.kafka.group_reader import GroupReader
from connectors.telemetry.metrics import CYCLE_SECONDS
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from stream_apps.runtime.retrying_loop import RetryingLoop, Turn


class RecordSource(Protocol):
    """Where the records of a cycle come from."""

    @property
    def readers(self) -> Sequence[GroupReader]:
        """Return the readers whose offsets the cycle commits."""

    def take(self) -> list[InboundRecord]:
        """Return the records of one cycle. Blocks a short while, then returns an empty list.

        Raises TransientError or FatalError.
        """


class RecordHandler(Protocol):
    """What one process does with its records."""

    def handle(self, records: list[InboundRecord]) -> list[OutboundRecord]:
        """Return all outputs of the records, dead letters included. Blocks for as long as the work takes.

        Raises TransientError or FatalError. It is called again with the same records when the cycle fails.
        """

    def committed(self, places: Sequence[StoredAt]) -> None:
        """Learn that the outputs of the last `handle` are visible to all, and where each is stored.

        Losing this call must do no harm.

        Raises TransientError or FatalError.
        """


class OutputTransactions(Protocol):
    """Where the outputs go (connectors.kafka.transactional_producer.TransactionalProducer)."""

    def commit(
        self,
        outputs: Sequence[OutboundRecord],
        readers: Sequence[GroupReader],
        confirm: Callable[[], None] | None = None,
    ) -> Sequence[StoredAt]:
        """Write the outputs and the offsets of what the readers took: all of them or none. Blocks.

        Returns where each output is stored.

        Raises TransientError when nothing was written, FatalError when this process must not go on.
        """


@dataclass
class TransactionalProcessor:
    """The loop of one process: its source, its handler and its producer. `stage` names it in metrics.

    `sleep` gets seconds and should return early when the process is to stop. `on_waiting` gets the reason before
    each pause; `on_working` is called after each commit and once there is nothing to do. `confirm` may raise
    TransientError to undo the cycle.
    """

    stage: str
    source: RecordSource
    handler: RecordHandler
    producer: OutputTransactions
    should_stop: Callable[[], bool]
    sleep: Callable[[float], object] = time.sleep
    on_waiting: Callable[[str], None] = lambda _reason: None
    on_working: Callable[[], None] = lambda: None
    confirm: Callable[[], None] | None = None
    longest_uncommitted_seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    _uncommitted_since: float | None = field(default=None, init=False)

    def run(self) -> None:
        """Run cycles until `should_stop`, which is asked between two of them. Blocks. Raises FatalError."""
        RetryingLoop(
            stage=self.stage,
            turn=self._run_cycle,
            rewind=self._rewind,
            should_stop=self.should_stop,
            sleep=self.sleep,
            on_waiting=self.on_waiting,
            on_working=self.on_working,
        ).run()

    def _run_cycle(self) -> Turn:
        """Run the four steps, as far as there is something to do."""
        records = self.source.take()
        started = self.clock()
        outputs = self.handler.handle(records) if records else []
        if outputs or self._is_due(started):
            places = self.producer.commit(outputs, self.source.readers, self.confirm)
            self._uncommitted_since = None
            CYCLE_SECONDS.labels(self.stage).observe(self.clock() - started)
            self.handler.committed(places)
            return Turn.DONE
        if records and self._uncommitted_since is None:
            self._uncommitted_since = started
        return Turn.UNDER_WAY if records else Turn.IDLE

    def _is_due(self, now: float) -> bool:
        since = self._uncommitted_since
        return since is not None and now - since >= self.longest_uncommitted_seconds

    def _rewind(self) -> None:
        self._uncommitted_since = None
        for reader in self.source.readers:
            reader.rewind()

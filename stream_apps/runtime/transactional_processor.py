"""Turn records into outputs and commit both in one Kafka transaction, again and again.

One cycle:

1. `RecordSource.take` returns the records of the cycle.
2. `RecordHandler.handle` returns all outputs. Bad input becomes a dead letter, which is an output like any other.
3. `OutputTransactions.commit` writes the outputs and the offsets of every reader: all of them or none.
   `confirm` is called within it, when the outputs are stored and nothing is committed yet.
4. `RecordHandler.committed` learns that the outputs are visible to all.

What an error does: stream_apps/runtime/retrying_loop.py.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.kafka.group_reader import GroupReader
from connectors.telemetry.metrics import CYCLE_SECONDS
from schemas.records import InboundRecord, OutboundRecord
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

    def committed(self) -> None:
        """Learn that the outputs of the last `handle` are visible to all. Losing this call must do no harm.

        Raises TransientError or FatalError.
        """


class OutputTransactions(Protocol):
    """Where the outputs go (connectors.kafka.transactional_producer.TransactionalProducer)."""

    def commit(
        self,
        outputs: Sequence[OutboundRecord],
        readers: Sequence[GroupReader],
        confirm: Callable[[], None] | None = None,
    ) -> None:
        """Write the outputs and the offsets of what the readers took: all of them or none. Blocks.

        Raises TransientError when nothing was written, FatalError when this process must not go on.
        """


@dataclass(frozen=True)
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

    def run(self) -> None:
        """Run cycles until `should_stop`, which is asked between two of them. Blocks. Raises FatalError."""
        RetryingLoop(
            stage=self.stage,
            turn=lambda: Turn.DONE if self._run_cycle() else Turn.IDLE,
            rewind=self._rewind,
            should_stop=self.should_stop,
            sleep=self.sleep,
            on_waiting=self.on_waiting,
            on_working=self.on_working,
        ).run()

    def _run_cycle(self) -> bool:
        """Run the four steps, and return whether there were records."""
        records = self.source.take()
        if not records:
            return False
        started = time.monotonic()
        self.producer.commit(self.handler.handle(records), self.source.readers, self.confirm)
        CYCLE_SECONDS.labels(self.stage).observe(time.monotonic() - started)
        self.handler.committed()
        return True

    def _rewind(self) -> None:
        for reader in self.source.readers:
            reader.rewind()

"""The one loop of every transactional process: take, process, commit. The one place that catches.

PermanentError never arrives here: a handler turns it into a dead letter, which is an output like any other.
TransientError: nothing was committed; wait with jitter, rewind, take the same records again, until it works
    (docs/retries.md). A signal ends the wait; whoever comes next takes the same records.
FatalError: the loop ends; the process exits and is restarted.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from connectors.kafka.group_reader import GroupReader
from connectors.kafka.transactional_producer import TransactionalProducer
from connectors.telemetry.metrics import CYCLE_SECONDS, CYCLES_RETRIED
from schemas.errors import FatalError, TransientError
from schemas.records import InboundRecord, OutboundRecord
from stream_apps.runtime.retry import RetryPolicy

log = structlog.get_logger()
# An error says itself how soon it is worth trying again.
_RETRY = RetryPolicy(first_seconds=0.0)
_REWIND_ATTEMPTS = 10
# What was rewound is fetched anew; until it comes, empty takes say nothing of whether it can be processed now.
_QUIET_TAKES = 5


class RecordSource(Protocol):
    """Where the records of the next cycle come from."""

    @property
    def readers(self) -> Sequence[GroupReader]:
        """Whose offsets the cycle commits."""

    def take(self) -> list[InboundRecord]:
        """The records of one cycle; blocks a short while, returns an empty list when there are none."""


class RecordHandler(Protocol):
    """What is done with them."""

    def handle(self, records: list[InboundRecord]) -> list[OutboundRecord]:
        """All outputs of the cycle, dead letters included. Raises TransientError or FatalError only."""

    def committed(self) -> None:
        """The outputs of the last `handle` are visible to all. Losing this call must do no harm."""


@dataclass(frozen=True)
class TransactionalProcessor:
    """One process's source, handler and producer, joined. `stage` names it in metrics."""

    stage: str
    source: RecordSource
    handler: RecordHandler
    producer: TransactionalProducer
    should_stop: Callable[[], bool]
    # Should end early when the process is to stop.
    sleep: Callable[[float], object] = time.sleep
    on_waiting: Callable[[str], None] = lambda _reason: None
    # After every commit, and once there is nothing to do.
    on_working: Callable[[], None] = lambda: None
    # Asked when the outputs are stored and not yet committed: TransientError undoes the cycle.
    confirm: Callable[[], None] | None = None

    def run(self) -> None:
        """Until `should_stop`, between two cycles. Raises FatalError."""
        failures = empty_takes = 0
        while not self.should_stop():
            try:
                empty_takes = 0 if self._once() else empty_takes + 1
            except TransientError as error:
                failures, empty_takes = self._recover(error, failures + 1), 0
                continue
            if empty_takes in (0, _QUIET_TAKES):
                failures = 0
                self.on_working()

    def _once(self) -> bool:
        """Whether there was something to do."""
        records = self.source.take()
        if not records:
            return False
        started = time.monotonic()
        self.producer.commit(self.handler.handle(records), self.source.readers, self.confirm)
        CYCLE_SECONDS.labels(self.stage).observe(time.monotonic() - started)
        self.handler.committed()
        return True

    def _recover(self, error: TransientError, failures: int) -> int:
        """The failures in a row, once the same records can be taken again or the process is to stop.

        Raises FatalError when the readers cannot be rewound: that asks nobody, so nothing is worth waiting for.
        """
        CYCLES_RETRIED.labels(self.stage).inc()
        for _ in range(_REWIND_ATTEMPTS):
            pause = _RETRY.pause_seconds(failures, random.random(), error.retry_after_seconds)
            log.warning("cycle_retried", error=str(error), failures=failures, pause_seconds=round(pause, 3))
            self.on_waiting(str(error))
            self.sleep(pause)
            if self.should_stop():
                return failures
            try:
                for reader in self.source.readers:
                    reader.rewind()
                return failures
            except TransientError as not_rewound:
                error, failures = not_rewound, failures + 1
        raise FatalError(f"the readers cannot be rewound: {error}") from error

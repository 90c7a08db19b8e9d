"""Usage events from Kafka into ClickHouse, each exactly once (see ranges.py for the protocol)."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.kafka.range_reader import StartingPlace
from connectors.telemetry import metrics
from schemas.errors import PermanentError, TransientError
from schemas.events import UsageEvent
from schemas.records import InboundRecord, OutboundRecord
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.retry import RetryPolicy
from stream_apps.usage_sink.ranges import PartitionBuffer, Range, Row, check_row, columns_of, row_of

log = structlog.get_logger()

STAGE = "usage_sink"
_TAKE_RECORDS, _TAKE_SECONDS = 5000, 0.2
_RETRY = RetryPolicy()


class UsageTable(Protocol):
    """Where rows go."""

    def insert(self, table: str, columns: dict[str, list[object]], token: str) -> None:
        """Once for a token. Raises TransientError."""


class RangeLog(Protocol):
    """Where records come from, and where ranges are noted."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]: ...
    def announce(self, partition: int, first: int, last: int) -> None: ...
    def finish(self, partition: int, last: int) -> None: ...


class DeadLetterProducer(Protocol):
    """Stores records durably before it returns."""

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None: ...


@dataclass(frozen=True)
class InsertRetry:
    """How long an insert is tried again before the membership is given up. Seconds.

    Less than the group's longest time between two polls: who leaves by itself is not taken for dead.
    """

    longest_seconds: float = 60.0
    should_stop: Callable[[], bool] = lambda: False
    on_waiting: Callable[[str], None] = lambda _reason: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass
class UsageSink:
    """One turn after the other, on one thread. Raises FatalError; TransientError means: start afresh."""

    log: RangeLog
    table: UsageTable
    dead_letter_producer: DeadLetterProducer
    dead_letters: DeadLetterWriter
    batch_rows: int = 20_000
    batch_seconds: float = 1.0
    buffered_rows: int = 40_000
    retry: InsertRetry = field(default_factory=InsertRetry)
    _buffers: dict[int, PartitionBuffer] = field(default_factory=dict, init=False)

    def begin(self, places: Sequence[StartingPlace]) -> None:
        """These partitions are ours from now on."""
        for place in places:
            buffer = PartitionBuffer(place.topic, place.partition, place.offset, place.pending_last)
            self._buffers[place.partition] = buffer
            if place.pending_last is not None:
                metrics.USAGE_RANGES_REPEATED.inc()
                log.info("usage_range_repeated", partition=place.partition, first=place.offset)

    def forget(self) -> None:
        """They are not any more."""
        self._buffers.clear()

    def turn(self) -> None:
        """Reads a little, writes what is due."""
        # Taken first: a rebalance happens inside, and tells which partitions are ours.
        taken = self.log.take(_TAKE_RECORDS, _TAKE_SECONDS)
        read = [self._read(record) for record in taken if record.partition in self._buffers]
        if dead_letters := [dead_letter for _, _, dead_letter in read if dead_letter]:
            self.dead_letter_producer.send(dead_letters)
        for record, row, _ in read:
            self._buffers[record.partition].add(record.offset, row, self.retry.clock())
        # While ClickHouse refuses, `_write` does not return and nothing more is taken.
        is_full = sum(len(buffer.rows) for buffer in self._buffers.values()) >= self.buffered_rows
        self._write(lambda since: is_full or self.retry.clock() - since >= self.batch_seconds)

    def drain(self) -> None:
        """Writes all that was read, before the process ends."""
        self._write(lambda _: True)

    def _write(self, is_old: Callable[[float], bool]) -> None:
        for buffer in list(self._buffers.values()):
            while (found := buffer.due(self.batch_rows, is_old)) is not None:
                if buffer.pending_last is None:
                    self.log.announce(found.partition, found.first, found.last)
                self._insert(found)
                self.log.finish(found.partition, found.last)
                buffer.done(found)

    def _insert(self, found: Range) -> None:
        """The same rows, the same token, until ClickHouse has them. Raises TransientError as `_wait` does."""
        failures, started = 0, self.retry.clock()
        while found.rows:
            try:
                self.table.insert("usage_events", columns_of(found.rows), found.token)
                break
            except TransientError as error:
                failures += 1
                log.warning("usage_insert_retried", error=str(error), rows=len(found.rows), failures=failures)
                self._wait(error, failures, self.retry.clock() - started)
        metrics.USAGE_ROWS.inc(len(found.rows))
        metrics.USAGE_INSERT_SECONDS.observe(self.retry.clock() - started)

    def _wait(self, error: TransientError, failures: int, waited_seconds: float) -> None:
        """Raises the error when the patience ends: the range stays announced, the next member repeats it."""
        pause = _RETRY.pause_seconds(failures, random.random())
        if self.retry.should_stop() or waited_seconds + pause > self.retry.longest_seconds:
            raise error
        self.retry.on_waiting(str(error))
        self.retry.sleep(pause)

    def _read(self, record: InboundRecord) -> tuple[InboundRecord, Row | None, OutboundRecord | None]:
        """The record with its row, or with the dead letter that takes the row's place."""
        try:
            event = self.dead_letters.codec.decode(record.value, UsageEvent)
            check_row(event, self.dead_letters.now_ms())
            return record, row_of(event, record), None
        except PermanentError as error:
            return record, None, self.dead_letters.record_of(self.dead_letters.dead_letter_of(record, error))

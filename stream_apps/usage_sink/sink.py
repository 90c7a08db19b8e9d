"""Move usage from Kafka to ClickHouse, each exactly once; ranges.py tells the protocol."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.kafka.range_reader import StartingOffset
from connectors.telemetry import metrics
from schemas.errors import PermanentError, TransientError
from schemas.events import UsageBatch
from schemas.records import InboundRecord, OutboundRecord
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.retry import RetryPolicy
from stream_apps.usage_sink.ranges import (
    PartitionBuffer,
    Range,
    UsageRow,
    check_row,
    columns_of,
    other_fields_of,
    row_of,
)

log = structlog.get_logger()

STAGE = "usage_sink"
# A record holds up to 1,000 rows, so this bounds what a take adds to the buffered ones.
_TAKE_RECORDS, _TAKE_SECONDS = 50, 0.2
_RETRY = RetryPolicy()


class UsageTable(Protocol):
    """Where rows go (connectors.clickhouse.database.Database)."""

    def insert(self, table: str, columns: dict[str, list[object]], token: str) -> None:
        """Insert the columns; a token that was inserted before changes nothing. Blocks; raises TransientError."""


class RangeSource(Protocol):
    """Where records come from and where ranges are noted (connectors.kafka.range_reader.RangeReader).

    Every call blocks while Kafka answers and may raise TransientError or FatalError.
    """

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` records; none after the timeout. Assignments are told inside this call."""

    def announce(self, ranges: Mapping[int, tuple[int, int]]) -> None:
        """Commit, for each partition, that the range from its first to its last offset is about to be inserted."""

    def finish(self, lasts: Mapping[int, int]) -> None:
        """Commit, for each partition, that everything up to that offset is inserted."""


class DeadLetterProducer(Protocol):
    """Where dead letters are sent (connectors.kafka.producer.DurableProducer)."""

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None:
        """Store the records durably before returning. Raises TransientError."""


@dataclass(frozen=True)
class InsertRetry:
    """How long an insert is tried again before the sink leaves its group, in seconds.

    `longest_seconds` is below the group's longest time between two polls, so that the sink leaves by itself before
    it is thrown out. `sleep` should return early when the process is to stop.
    """

    longest_seconds: float = 60.0
    should_stop: Callable[[], bool] = lambda: False
    on_waiting: Callable[[str], None] = lambda _reason: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass
class UsageSink:
    """Call `turn` again and again, on one thread; `begin` and `forget` are called by the reader inside it.

    Every call may raise FatalError, or TransientError: then start again with a new reader and a new sink.
    """

    source: RangeSource
    table: UsageTable
    dead_letter_producer: DeadLetterProducer
    dead_letters: DeadLetterWriter
    batch_rows: int = 20_000
    batch_seconds: float = 1.5
    buffered_rows: int = 40_000
    retry: InsertRetry = field(default_factory=InsertRetry)
    _buffers: dict[int, PartitionBuffer] = field(default_factory=dict, init=False)

    def begin(self, starts: Sequence[StartingOffset]) -> None:
        """Open a buffer for each partition that was assigned."""
        for start in starts:
            buffer = PartitionBuffer(start.topic, start.partition, start.offset, start.pending_last)
            self._buffers[start.partition] = buffer
            if start.pending_last is not None:
                metrics.USAGE_RANGES_REPEATED.inc()
                log.info("usage_range_repeated", partition=start.partition, first=start.offset)

    def forget(self) -> None:
        """Drop the buffers of revoked partitions."""
        self._buffers.clear()

    def turn(self) -> None:
        """Read some records and insert what is due. Blocks for the retries of an insert."""
        # First, because a rebalance happens inside and changes the buffers.
        taken = self.source.take(_TAKE_RECORDS, _TAKE_SECONDS)
        read = [self._read(record) for record in taken if record.partition in self._buffers]
        if dead_letters := [dead_letter for *_, dead_letter in read if dead_letter]:
            self.dead_letter_producer.send(dead_letters)
        for record, rows, _ in read:
            self._buffers[record.partition].add(record.offset, rows, self.retry.clock())
        # While ClickHouse refuses, `_write` does not return, so no more records are taken.
        is_full = sum(buffer.row_count for buffer in self._buffers.values()) >= self.buffered_rows
        self._write(is_time=is_full or self._oldest_seconds() >= self.batch_seconds)

    def drain(self) -> None:
        """Insert everything that was read, before the process ends. Blocks as `turn` does."""
        self._write(is_time=True)

    def _oldest_seconds(self) -> float:
        """Return how long the oldest row waits. All partitions go by it: their commits are one."""
        oldest = [buffer.oldest_at for buffer in self._buffers.values() if buffer.records]
        return self.retry.clock() - min(oldest) if oldest else 0.0

    def _write(self, *, is_time: bool) -> None:
        while due := self._due(is_time=is_time):
            fresh = [found for found in due if self._buffers[found.partition].pending_last is None]
            if fresh:
                self.source.announce({found.partition: (found.first, found.last) for found in fresh})
            for found in due:
                self._insert(found)
            self.source.finish({found.partition: found.last for found in due})
            for found in due:
                self._buffers[found.partition].done(found)

    def _due(self, *, is_time: bool) -> list[Range]:
        ranges = [buffer.due(self.batch_rows, is_time=is_time) for buffer in self._buffers.values()]
        return [found for found in ranges if found is not None]

    def _insert(self, found: Range) -> None:
        """Insert the rows with their token, again until ClickHouse has them. Raises as `_wait` does."""
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
        """Pause before the next try, or raise the error when the time is up or the process is to stop.

        The range stays announced, so the next member of the group repeats it.
        """
        pause = _RETRY.pause_seconds(failures, random.random())
        if self.retry.should_stop() or waited_seconds + pause > self.retry.longest_seconds:
            raise error
        self.retry.on_waiting(str(error))
        self.retry.sleep(pause)

    def _read(self, record: InboundRecord) -> tuple[InboundRecord, Sequence[UsageRow], OutboundRecord | None]:
        """Return the record with its rows, or with the dead letter that takes their place."""
        try:
            codec = self.dead_letters.codec
            events = codec.decode(record.value, UsageBatch).events
            unknown = codec.unknown_fields(record.value or b"", UsageBatch)
            for event in events:
                check_row(event, self.dead_letters.now_ms())
            others = [other_fields_of(unknown, number, len(events)) for number in range(len(events))]
            return (
                record,
                [row_of(event, record, other) for event, other in zip(events, others, strict=True)],
                None,
            )
        except PermanentError as error:
            return record, (), self.dead_letters.record_of(self.dead_letters.dead_letter_of(record, error))

"""Move what flows through Kafka to ClickHouse: usage exactly once, everything else until it is there.

One member of one group reads all topics, because each consumer costs the broker something even at rest. Usage is
added up and billed, so it goes in ranges (ranges.py). The rows of all other topics have an identity of their own,
so a repeat replaces them (records.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.kafka.range_reader import Partition, StartingOffset
from connectors.telemetry import metrics
from schemas.errors import PermanentError
from schemas.events import UsageBatch
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import USAGE
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.sending import RecordSender
from stream_apps.usage_sink.inserting import Inserter
from stream_apps.usage_sink.ranges import PartitionBuffer, Range
from stream_apps.usage_sink.records import RecordSink
from stream_apps.usage_sink.rows.usage import NO_ROWS, UsagePart, merged, part_of

log = structlog.get_logger()

STAGE = "usage_sink"
# A usage record holds up to 1,000 rows, so this bounds what a take adds to the buffered ones.
_TAKE_RECORDS, _TAKE_SECONDS = 50, 0.2


class RangeCommits(Protocol):
    """Where ranges are noted (connectors.kafka.range_reader.RangeReader). Raises TransientError or FatalError."""

    def announce(self, ranges: Mapping[Partition, tuple[int, int]]) -> None:
        """Commit, for each partition, that the range from its first to its last offset is about to be inserted."""

    def finish(self, lasts: Mapping[Partition, int]) -> None:
        """Commit, for each partition, that everything up to that offset is inserted."""


class RecordSource(RangeCommits, Protocol):
    """Where records come from. Every call blocks while Kafka answers; raises TransientError or FatalError."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` records; none after the timeout. Assignments are told inside this call."""


@dataclass
class UsageSink:
    """Give it records with `accept` and call `write_due` again and again, on one thread.

    Every call may raise FatalError, or TransientError: then start again with a new reader and a new sink.
    """

    commits: RangeCommits
    inserter: Inserter
    dead_letter_producer: RecordSender
    dead_letters: DeadLetterWriter
    batch_rows: int = 20_000
    batch_seconds: float = 1.5
    buffered_rows: int = 40_000
    _buffers: dict[Partition, PartitionBuffer] = field(default_factory=dict, init=False)

    def begin(self, starts: Sequence[StartingOffset]) -> None:
        """Open a buffer for each partition that was assigned."""
        for start in starts:
            buffer = PartitionBuffer(start.topic, start.partition, start.offset, start.pending_last)
            self._buffers[start.topic, start.partition] = buffer
            if start.pending_last is not None:
                metrics.USAGE_RANGES_REPEATED.inc()
                log.info("usage_range_repeated", partition=start.partition, first=start.offset)

    def forget(self) -> None:
        """Drop the buffers of revoked partitions."""
        self._buffers.clear()

    def accept(self, records: Sequence[InboundRecord]) -> None:
        """Take records into the buffers; what is no usage is a dead letter, stored before this ends."""
        read = [self._read(one) for one in records if (one.topic, one.partition) in self._buffers]
        if dead_letters := [dead_letter for *_, dead_letter in read if dead_letter]:
            self.dead_letter_producer.send(dead_letters)
        for record, rows, _ in read:
            buffer = self._buffers[record.topic, record.partition]
            buffer.add(record.offset, rows, self.inserter.retry.clock(), record.timestamp_ms)

    def write_due(self) -> None:
        """Insert what is due. Blocks for the retries of an insert: meanwhile nothing more is taken."""
        is_full = sum(buffer.row_count for buffer in self._buffers.values()) >= self.buffered_rows
        self._write(is_time=is_full or self._oldest_seconds() >= self.batch_seconds)

    @property
    def oldest_ms(self) -> int | None:
        """Return Kafka's time stamp of the first record that waits for an insert; None where none does."""
        return min((one.oldest_ms for one in list(self._buffers.values()) if one.records), default=None)

    def drain(self) -> None:
        """Insert everything that was read, before the process ends. Blocks as `write_due` does."""
        self._write(is_time=True)

    def _oldest_seconds(self) -> float:
        """Return how long the oldest row waits. All partitions go by it: their commits are one."""
        oldest = [buffer.oldest_at for buffer in self._buffers.values() if buffer.records]
        return self.inserter.retry.clock() - min(oldest) if oldest else 0.0

    def _write(self, *, is_time: bool) -> None:
        while due := self._due(is_time=is_time):
            fresh = {at: found for at, found in due.items() if self._buffers[at].pending_last is None}
            if fresh:
                self.commits.announce({at: (found.first, found.last) for at, found in fresh.items()})
            for found in due.values():
                if found.parts:
                    self.inserter.insert_columns("usage_events", merged(found.parts), found.token)
            self.commits.finish({at: found.last for at, found in due.items()})
            for at, found in due.items():
                self._buffers[at].done(found)

    def _due(self, *, is_time: bool) -> dict[Partition, Range]:
        ranges = {at: buffer.due(self.batch_rows, is_time=is_time) for at, buffer in self._buffers.items()}
        return {at: found for at, found in ranges.items() if found is not None}

    def _read(self, record: InboundRecord) -> tuple[InboundRecord, UsagePart, OutboundRecord | None]:
        """Return the record with its rows, or with the dead letter that takes their place."""
        try:
            codec = self.dead_letters.codec
            rows = codec.decode(record.value, UsageBatch).rows
            unknown = codec.unknown_fields(record.value or b"", UsageBatch)
            return record, part_of(rows, record, unknown, self.dead_letters.now_ms()), None
        except PermanentError as error:
            return record, NO_ROWS, self.dead_letters.record_of(self.dead_letters.dead_letter_of(record, error))


@dataclass(frozen=True)
class Sink:
    """Both sinks behind one source. Call `turn` again and again; the reader calls `begin`, `forget` inside it."""

    source: RecordSource
    usage: UsageSink
    records: RecordSink

    def begin(self, starts: Sequence[StartingOffset]) -> None:
        """Open what was assigned."""
        self.usage.begin([start for start in starts if start.topic == USAGE])

    def forget(self) -> None:
        """Drop what was read of revoked partitions and is not inserted: their next member reads it again."""
        self.usage.forget()
        self.records.forget()

    def turn(self) -> None:
        """Read some records and insert what is due. Raises TransientError or FatalError."""
        # First, because a rebalance happens inside and changes the buffers.
        taken = self.source.take(_TAKE_RECORDS, _TAKE_SECONDS)
        self.usage.accept([record for record in taken if record.topic == USAGE])
        self.records.accept([record for record in taken if record.topic != USAGE])
        self.usage.write_due()
        self.records.write_due()

    def drain(self) -> None:
        """Insert everything that was read, before the process ends."""
        self.usage.drain()
        self.records.drain()

"""Read partitions without a consumer group: a topic from its present end, measured spans, single records.

Only committed records are seen, nothing is committed, and no group is disturbed.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from confluent_kafka import OFFSET_BEGINNING, KafkaError, Message, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import NoSuchPartitionError, failure_of, kafka_errors
from connectors.kafka.group_member import record_of
from connectors.kafka.lost_connection import WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord

# The client insists on a group's name, but nobody ever joins this group.
_GROUP = "dragoman.partition_reader"
_ANSWER_SECONDS = 10.0
_RETRY_SECONDS = 0.1
_TAKE_SECONDS = 0.5
# Kafka tells that a partition ends only when it gives up waiting for a record.
_END_WAIT_MS = 20
_BULK_BYTES = 262_144
# Longer than the broker leaves a killed writer's transaction open.
_SILENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Span:
    """The offsets of one partition from `first` up to, not including, `end`."""

    topic: str
    partition: int
    first: int
    end: int

    @property
    def length(self) -> int:
        """Count the offsets: an upper bound of the number of records."""
        return self.end - self.first

    def without(self, before: int) -> "Span":
        """Leave out everything before that offset; keep the whole span if the topic ends before it."""
        return replace(self, first=max(self.first, before)) if before <= self.end else self


class PartitionReader:
    """Reads chosen partitions from chosen offsets. Not thread-safe; whoever opens it closes it.

    `take` waits for the first record and then returns what the client has fetched. With `fills_takes` it waits
    for the full number: fewer, larger takes, but of any size in bytes; records may come `fetch_wait_ms` late,
    because the broker, too, waits for many of them. With `notices_ends` it fills `ends`; with both, ends come as
    late as records.
    Every method raises TransientError or FatalError.
    """

    def __init__(
        self, settings: KafkaSettings, client_id: str, *, fills_takes: bool = False, notices_ends: bool = False
    ) -> None:
        config = consumer_config(settings, _GROUP, client_id) | {"enable.partition.eof": notices_ends}
        if notices_ends and not fills_takes:
            config["fetch.wait.max.ms"] = min(settings.fetch_wait_ms, _END_WAIT_MS)
        if fills_takes:
            config["fetch.min.bytes"] = _BULK_BYTES
        self._consumer = WatchfulConsumer(settings, config)
        self._fills_takes = fills_takes
        self._paused: frozenset[tuple[str, int]] = frozenset()
        self.ends: dict[tuple[str, int], int] = {}
        """Where committed records ended, for each partition whose end the last take reached."""

    def read_from(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Read exactly these partitions from now on; 0 stands for the first record that is still there."""
        with kafka_errors():
            self._consumer.assign(
                [TopicPartition(*partition, offset or OFFSET_BEGINNING) for partition, offset in offsets.items()]
            )
        self._paused = frozenset()

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` records, none after the timeout.

        Without `fills_takes` they hold about as many bytes as the client's buffer: waiting for the full number
        would take whatever arrives meanwhile, however large.
        """
        with kafka_errors():
            messages = self._consumer.consume(limit if self._fills_takes else 1, timeout_seconds)
            if messages and len(messages) < limit and not self._fills_takes:
                messages += self._consumer.consume(limit - 1, 0)
        self.ends = dict(end for message in messages if (end := _end_of(message)))
        return [record for message in messages if (record := record_of(message))]

    def pause(self, partitions: Set[tuple[str, int]]) -> None:
        """Take nothing from these partitions and resume all others."""
        with kafka_errors():
            self._consumer.pause([TopicPartition(*partition) for partition in partitions - self._paused])
            self._consumer.resume([TopicPartition(*partition) for partition in self._paused - partitions])
        self._paused = frozenset(partitions)

    def watermarks(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the offset of the first record and the one after the last. Raises NoSuchPartitionError."""
        with kafka_errors():
            return self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_SECONDS)

    def partitions(self, topic: str) -> list[int]:
        """Return the numbers of the topic's partitions."""
        with kafka_errors():
            return list(self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions)

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()


def open_tail(
    settings: KafkaSettings,
    topic: str,
    *,
    fills_takes: bool = True,
    also: Mapping[tuple[str, int], int] = MappingProxyType({}),
) -> PartitionReader:
    """Open a reader of everything that is written to the topic from now on; the caller closes it.

    `also` adds partitions of other topics, each from an offset.
    Waits 10 s for partitions without a leader, as just after their creation. Raises TransientError, FatalError.
    """
    reader = PartitionReader(settings, "tail", fills_takes=fills_takes)
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            # Numbers, not "end": records that arrive before the first fetch must not be missed.
            reader.read_from(
                {(topic, number): reader.watermarks(topic, number)[1] for number in reader.partitions(topic)}
                | dict(also)
            )
            return reader
        except TransientError:
            if time.monotonic() > deadline:
                reader.close()
                raise
        time.sleep(_RETRY_SECONDS)


class RecordLookup:
    """Fetches single records by their coordinates. Not thread-safe; whoever opens it closes it."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._reader = PartitionReader(settings, "record_lookup", notices_ends=True)

    def find(self, topic: str, partition: int, offset: int) -> InboundRecord | None:
        """Return the record; None if it is gone: expired, compacted or never committed. Raises TransientError."""
        try:
            first, end = self._reader.watermarks(topic, partition)
            record = self._first_from(topic, partition, offset) if first <= offset < end else None
        except NoSuchPartitionError:
            return None
        return record if record and record.offset == offset else None

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()

    def _first_from(self, topic: str, partition: int, offset: int) -> InboundRecord | None:
        self._reader.read_from({(topic, partition): offset})
        records = self._reader.take(1, _ANSWER_SECONDS)
        if not records and not self._reader.ends:
            raise TransientError(f"Kafka did not send {topic}-{partition}-{offset}")
        return records[0] if records else None


class LogScan:
    """Reads measured spans once. Not thread-safe; close it, or use `scanning`. Raises TransientError, FatalError.

    A span may end behind an open transaction. Then the scan waits until that is committed or aborted, so that
    nothing which was in the log when the span was measured can appear later.
    """

    def __init__(self, settings: KafkaSettings, spans: Iterable[Span]) -> None:
        self._unread = {(span.topic, span.partition): span for span in spans if span.length > 0}
        self._partitions = frozenset(self._unread)
        self._length = sum(span.length for span in self._unread.values())
        self._records_read = 0
        self._reader = PartitionReader(settings, "log_scan", notices_ends=True)
        self._reader.read_from({partition: span.first for partition, span in self._unread.items()})

    @property
    def is_done(self) -> bool:
        """Tell whether every span was read to its end."""
        return not self._unread

    @property
    def share(self) -> float:
        """Return the share that was read, 0 to 1; control records count once their partition is done."""
        return 1.0 if self.is_done else min(self._records_read / self._length, 1.0)

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` of the fetched records; none after the timeout or when the scan is done."""
        if self.is_done:
            return []
        found = self._reader.take(limit, timeout_seconds)
        records = [record for record in found if self._is_inside(record)]
        for partition, end in self._reader.ends.items():
            # Committed records end here; an open transaction may keep back the rest of the span.
            if partition in self._unread and end >= self._unread[partition].end:
                self.drop(*partition)
        return records

    def until_done(self, limit: int) -> Iterator[list[InboundRecord]]:
        """Yield everything left, up to `limit` records at once. Raises TransientError if a minute brings none."""
        last_at = time.monotonic()
        while not self.is_done:
            if records := self.take(limit, _TAKE_SECONDS):
                yield records
                last_at = time.monotonic()
            elif time.monotonic() - last_at > _SILENCE_SECONDS:
                raise TransientError(f"Kafka sends nothing of {len(self._unread)} partitions")

    def drop(self, topic: str, partition: int) -> None:
        """Skip the rest of this partition."""
        if self._unread.pop((topic, partition), None):
            self._reader.pause(self._partitions - self._unread.keys())

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()

    def _is_inside(self, record: InboundRecord) -> bool:
        """Tell whether the record is part of a span; the last one of a span ends it."""
        partition = (record.topic, record.partition)
        span = self._unread.get(partition)
        if span is None:
            return False
        if record.offset >= span.end - 1:
            self.drop(*partition)
        self._records_read += 1
        return record.offset < span.end


@contextmanager
def scanning(settings: KafkaSettings, spans: Iterable[Span]) -> Iterator[LogScan]:
    """Open a scan and close it at the end."""
    scan = LogScan(settings, spans)
    try:
        yield scan
    finally:
        scan.close()


def read_spans(settings: KafkaSettings, spans: Iterable[Span], limit: int) -> Iterator[list[InboundRecord]]:
    """Yield all records of the spans, up to `limit` at once. Raises TransientError if a minute brings none."""
    with scanning(settings, spans) as scan:
        yield from scan.until_done(limit)


def _end_of(message: Message) -> tuple[tuple[str, int], int] | None:
    """Return (partition, offset) of a notice that a partition's end was reached; None for a record.

    Raises TransientError or FatalError for a failure.
    """
    error = message.error()
    if error is None:
        return None
    if error.code() != KafkaError._PARTITION_EOF:
        raise failure_of(error)
    return (message.topic() or "", message.partition() or 0), message.offset() or 0

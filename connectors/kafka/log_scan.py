"""Reads given spans of topics once, committed records only, in no group.

A span's end may lie behind an open transaction; then the scan waits until that is committed or aborted, so that
nothing which was in the log when the span was measured can appear later.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.admin import Span
from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import failure_of
from connectors.kafka.group_reader import record_of
from connectors.kafka.lost_connection import WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord

_EOF = KafkaError._PARTITION_EOF
_TAKE_SECONDS = 0.5
# Longer than the broker leaves a killed writer's transaction open.
_SILENCE_SECONDS = 60.0


class LogScan:
    """Not thread-safe. Close it at the end, or use `scanning`. Raises TransientError or FatalError."""

    def __init__(self, settings: KafkaSettings, spans: Iterable[Span]) -> None:
        self._left = {(span.topic, span.partition): span for span in spans if span.length > 0}
        self._length = sum(span.length for span in self._left.values())
        self._read = 0
        config = consumer_config(settings, "dragoman.log_scan", "log_scan") | {"enable.partition.eof": True}
        self._consumer = WatchfulConsumer(settings, config)
        self._consumer.assign([TopicPartition(*place, span.first) for place, span in self._left.items()])

    @property
    def is_done(self) -> bool:
        """Whether every span was read to its end."""
        return not self._left

    @property
    def share(self) -> float:
        """How much of it was read, 0 to 1; control records count as unread until their partition is done."""
        return 1.0 if self.is_done else min(self._read / self._length, 1.0)

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """What has been fetched, up to `limit` records; none after the timeout or when it is done.

        It holds as many bytes as the client's buffer: whoever waited for the full number would take whatever
        arrives meanwhile, however large.
        """
        if self.is_done:
            return []
        try:
            messages = self._consumer.consume(1, timeout_seconds)
            if messages:
                messages += self._consumer.consume(limit - 1, 0)
            return [record for message in messages if (record := self._record(message))]
        except KafkaException as error:
            raise failure_of(error) from error

    def until_done(self, limit: int) -> Iterator[list[InboundRecord]]:
        """All that is left, so many records at once at most. Raises TransientError when a minute brings none."""
        heard_at = time.monotonic()
        while not self.is_done:
            if records := self.take(limit, _TAKE_SECONDS):
                yield records
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _SILENCE_SECONDS:
                raise TransientError(f"Kafka sends nothing of {len(self._left)} partitions")

    def drop(self, topic: str, partition: int) -> None:
        """The rest of this partition is not wanted."""
        if self._left.pop((topic, partition), None):
            self._consumer.pause([TopicPartition(topic, partition)])

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()

    def _record(self, message: Message) -> InboundRecord | None:
        error = message.error()
        if error is not None and error.code() != _EOF:
            raise failure_of(error)
        place = (message.topic() or "", message.partition() or 0)
        span = self._left.get(place)
        offset = message.offset() or 0
        if span is None:
            return None
        if error is not None:
            # Where committed records end; behind it an open transaction may keep the rest of the span.
            if offset >= span.end:
                self.drop(*place)
            return None
        record = record_of(message)
        if offset >= span.end - 1:
            self.drop(*place)
        self._read += 1
        return record if offset < span.end else None


@contextmanager
def scanning(settings: KafkaSettings, spans: Iterable[Span]) -> Iterator[LogScan]:
    """A scan that is closed at the end."""
    scan = LogScan(settings, spans)
    try:
        yield scan
    finally:
        scan.close()

"""Reads what a topic took between two moments, committed records only, in no group."""

from collections.abc import Iterator

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.group_reader import record_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord

_TIMEOUT_SECONDS = 10.0
_TAKE_RECORDS = 500


class SpanReader:
    """Close it at the end. Nothing is committed, nobody's group is disturbed."""

    def __init__(self, settings: KafkaSettings) -> None:
        config = consumer_config(settings, "dragoman.span_reader", "span_reader")
        self._consumer = Consumer(config | {"enable.partition.eof": True})

    def records(self, topic: str, since_ms: int, until_ms: int) -> Iterator[InboundRecord]:
        """Records stamped from `since_ms` on and before `until_ms`, one partition after the other.

        Ends at what is the end of the topic when it gets there. Raises TransientError or FatalError.
        """
        try:
            for place in self._starts(topic, since_ms):
                yield from self._partition(place, since_ms, until_ms)
        except KafkaException as error:
            raise failure_of(error) from error

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()

    def _starts(self, topic: str, since_ms: int) -> list[TopicPartition]:
        found = self._consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic]
        if found.error is not None:
            raise failure_of(found.error)
        places = [TopicPartition(topic, number, since_ms) for number in found.partitions]
        starts = self._consumer.offsets_for_times(places, timeout=_TIMEOUT_SECONDS)
        # A partition whose records are all older has no such offset.
        return [start for start in starts if start.offset not in (OFFSET_END, -1)]

    def _partition(self, start: TopicPartition, since_ms: int, until_ms: int) -> Iterator[InboundRecord]:
        self._consumer.assign([start])
        while True:
            messages = self._consumer.consume(_TAKE_RECORDS, _TIMEOUT_SECONDS)
            if not messages:
                raise TransientError(f"Kafka sent nothing of {start.topic}-{start.partition} for a while")
            for message in messages:
                record = record_of(message)
                # A notice: the end. Time stamps need not ascend, so a late one ends nothing.
                if record is None:
                    return
                if since_ms <= record.timestamp_ms < until_ms:
                    yield record

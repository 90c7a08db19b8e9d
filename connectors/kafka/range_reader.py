"""A group member whose commits carry a note: the range of offsets that its sink is about to write."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import member_failure_of
from connectors.kafka.group_reader import records_of
from connectors.kafka.lost_connection import WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.records import InboundRecord

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class StartingPlace:
    """Where reading of a partition begins; `pending_last` is the end of a range that was announced."""

    topic: str
    partition: int
    offset: int
    pending_last: int | None


class RangeReader:
    """Not thread-safe. Callbacks run inside `take`; a commit that is refused raises TransientError."""

    def __init__(self, settings: KafkaSettings, group: str, topic: str, instance: str) -> None:
        self.group = group
        self._topic = topic
        # Eager: every rebalance drops all buffers and starts again from the committed notes.
        config = consumer_config(settings, group, instance) | {"partition.assignment.strategy": "range"}
        self._consumer = WatchfulConsumer(settings, config)

    def subscribe(self, on_places: Callable[[Sequence[StartingPlace]], None], on_lost: Callable[[], None]) -> None:
        """Join the group; the callbacks tell which partitions begin where, and that all were lost."""

        def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            places = [self._place(found) for found in consumer.committed(partitions, timeout=_TIMEOUT_SECONDS)]
            consumer.assign([TopicPartition(place.topic, place.partition, place.offset) for place in places])
            on_places(places)

        def lost(_consumer: Consumer, _partitions: list[TopicPartition]) -> None:
            on_lost()

        self._consumer.subscribe([self._topic], on_assign=assigned, on_revoke=lost, on_lost=lost)

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Up to `limit` records. Raises TransientError or FatalError."""
        return records_of(self._consumer, limit, timeout_seconds)

    def announce(self, partition: int, first: int, last: int) -> None:
        """The range from `first` to `last` is about to be written."""
        self._commit(partition, first, json.dumps({"max": last}))

    def finish(self, partition: int, last: int) -> None:
        """Everything up to `last` is written."""
        self._commit(partition, last + 1, "")

    def close(self) -> None:
        """Leave the group; a static member stays."""
        self._consumer.close()

    def _commit(self, partition: int, offset: int, note: str) -> None:
        place = TopicPartition(self._topic, partition, offset, note)
        try:
            for answer in self._consumer.commit(offsets=[place], asynchronous=False) or ():
                if answer.error:
                    raise member_failure_of(answer.error)
        except KafkaException as error:
            raise member_failure_of(error) from error

    def _place(self, found: TopicPartition) -> StartingPlace:
        offset = found.offset
        if offset < 0:
            # A number is needed, for it names the first range.
            offset = self._consumer.get_watermark_offsets(found, timeout=_TIMEOUT_SECONDS)[0]
        note = json.loads(found.metadata) if found.metadata else {}
        return StartingPlace(found.topic, found.partition, offset, note.get("max"))

"""A group member whose commits carry metadata: the range of offsets that its sink is about to write."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import member_failure_of
from connectors.kafka.group_member import record_of
from connectors.kafka.lost_connection import WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.records import InboundRecord

_TIMEOUT_SECONDS = 10.0

Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""


@dataclass(frozen=True)
class StartingOffset:
    """Where reading of a partition starts; `pending_last` is the last offset of a range that was announced."""

    topic: str
    partition: int
    offset: int
    pending_last: int | None


class RangeReader:
    """Not thread-safe. Callbacks run inside `take`; a refused commit raises TransientError."""

    def __init__(
        self, settings: KafkaSettings, group: str, topics: Sequence[str], instance: str, fetch_min_bytes: int = 1
    ) -> None:
        self.group = group
        self._topics = list(topics)
        self._generation = 0
        config = consumer_config(settings, group, instance) | {
            # Eager: every rebalance drops all buffers and starts again from the committed metadata.
            "partition.assignment.strategy": "range",
            # What waits for company anyway need not wake broker and client record by record.
            "fetch.min.bytes": fetch_min_bytes,
        }
        self._consumer = WatchfulConsumer(settings, config)

    def subscribe(
        self, on_assigned: Callable[[Sequence[StartingOffset]], None], on_lost: Callable[[], None]
    ) -> None:
        """Join the group; the callbacks learn where each partition starts, and that all were lost."""

        def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            starts = [self._start(found) for found in consumer.committed(partitions, timeout=_TIMEOUT_SECONDS)]
            consumer.assign([TopicPartition(start.topic, start.partition, start.offset) for start in starts])
            self._generation += 1
            on_assigned(starts)

        def lost(_consumer: Consumer, _partitions: list[TopicPartition]) -> None:
            self._generation += 1
            on_lost()

        self._consumer.subscribe(self._topics, on_assign=assigned, on_revoke=lost, on_lost=lost)

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Wait for a record; return it with what has been fetched beside it. Raises TransientError or FatalError.

        Waiting for the full number would take whatever arrives meanwhile, however large.
        """
        try:
            messages = self._consumer.consume(1, timeout_seconds)
            if messages:
                generation = self._generation
                more = self._consumer.consume(limit - 1, 0)
                # After a rebalance inside the second call the first record comes again, if it is still ours.
                messages = [*messages, *more] if generation == self._generation else more
        except KafkaException as error:
            raise member_failure_of(error) from error
        return [record for message in messages if (record := record_of(message))]

    def announce(self, ranges: Mapping[Partition, tuple[int, int]]) -> None:
        """Commit, for each partition, that the range from its first to its last offset is about to be written."""
        self._commit(
            [
                TopicPartition(*partition, first, json.dumps({"max": last}))
                for partition, (first, last) in ranges.items()
            ]
        )

    def finish(self, lasts: Mapping[Partition, int]) -> None:
        """Commit, for each partition, that everything up to that offset is written."""
        self._commit([TopicPartition(*partition, last + 1, "") for partition, last in lasts.items()])

    def close(self) -> None:
        """Leave the group; a static member stays in it."""
        self._consumer.close()

    def _commit(self, starts: list[TopicPartition]) -> None:
        try:
            for answer in self._consumer.commit(offsets=starts, asynchronous=False) or ():
                if answer.error:
                    raise member_failure_of(answer.error)
        except KafkaException as error:
            raise member_failure_of(error) from error

    def _start(self, found: TopicPartition) -> StartingOffset:
        if found.error:
            # Taken for no commit, everything that the topic still has would be inserted, and billed, once more.
            raise member_failure_of(found.error)
        offset = found.offset
        if offset < 0:
            # A number is needed, as it is the start of the first range.
            offset = self._consumer.get_watermark_offsets(found, timeout=_TIMEOUT_SECONDS)[0]
        metadata = json.loads(found.metadata) if found.metadata else {}
        return StartingOffset(found.topic, found.partition, offset, metadata.get("max"))

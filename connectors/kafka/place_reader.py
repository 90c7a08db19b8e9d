"""Reads chosen partitions from chosen offsets, in no group: to look at what others have still to process."""

from collections.abc import Mapping, Set

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.group_reader import records_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.watchful_consumer import WatchfulConsumer
from schemas.records import InboundRecord

Place = tuple[str, int]
"""Topic and partition."""


class PlaceReader:
    """Nothing is committed, nobody's group is disturbed. Not thread-safe. Raises TransientError, FatalError."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._consumer = WatchfulConsumer(settings, consumer_config(settings, "dragoman.place_reader", client_id))
        self._paused: frozenset[Place] = frozenset()

    def read_from(self, offsets: Mapping[Place, int]) -> None:
        """From now on exactly these partitions, from these offsets; 0 also where the first records are gone."""
        places = [
            TopicPartition(topic, number, offset or OFFSET_BEGINNING)
            for (topic, number), offset in offsets.items()
        ]
        try:
            self._consumer.assign(places)
        except KafkaException as error:
            raise failure_of(error) from error
        self._paused = frozenset()

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Up to `limit` records; what is there after the timeout at the latest."""
        return records_of(self._consumer, limit, timeout_seconds)

    def pause(self, places: Set[Place]) -> None:
        """Take nothing from these, and from the others again."""
        try:
            self._consumer.pause([TopicPartition(*place) for place in places - self._paused])
            self._consumer.resume([TopicPartition(*place) for place in self._paused - places])
        except KafkaException as error:
            raise failure_of(error) from error
        self._paused = frozenset(places)

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()

"""Reads chosen partitions from chosen offsets, in no group: to look at what others have still to process.

Reads a whole topic from where it ends now, committed records only, in no group.

Fetches single records by their coordinates, committed ones only, in no group.
"""

import time
from collections.abc import Mapping, Set

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import failure_of
from connectors.kafka.group_reader import record_of, records_of
from connectors.kafka.lost_connection import WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
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


_TIMEOUT_SECONDS = 10.0
_RETRY_SECONDS = 0.1


class LogReader:
    """Nothing is committed, nobody's group is disturbed. Raises TransientError or FatalError."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._consumer = WatchfulConsumer(settings, consumer_config(settings, "dragoman.log_reader", "log_reader"))
        end = time.monotonic() + _TIMEOUT_SECONDS
        while not self._is_assigned(topic, is_last_try=time.monotonic() > end):
            time.sleep(_RETRY_SECONDS)

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Up to `limit` records; what is there after the timeout at the latest."""
        return records_of(self._consumer, limit, timeout_seconds)

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()

    def _is_assigned(self, topic: str, *, is_last_try: bool) -> bool:
        """False while a partition has no leader, as just after its creation. Raises TransientError, FatalError."""
        try:
            places = [self._end(topic, number) for number in self._partitions(topic)]
            self._consumer.assign(places)
        except KafkaException as error:
            failure = failure_of(error)
            if is_last_try or not isinstance(failure, TransientError):
                raise failure from error
            return False
        return True

    def _partitions(self, topic: str) -> list[int]:
        return list(self._consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions)

    def _end(self, topic: str, number: int) -> TopicPartition:
        # A number, not "end": records that arrive before the first fetch must not be missed.
        place = TopicPartition(topic, number)
        place.offset = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS)[1]
        return place


_NO_SUCH_PLACE = frozenset(
    {KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART}
)


class RecordLookup:
    """Not thread-safe. Close it at the end."""

    def __init__(self, settings: KafkaSettings) -> None:
        config = consumer_config(settings, "dragoman.record_lookup", "record_lookup")
        self._consumer = Consumer(config | {"enable.partition.eof": True})

    def find(self, topic: str, partition: int, offset: int) -> InboundRecord | None:
        """None where it is gone: past its retention, compacted, or never committed. Raises TransientError."""
        place = TopicPartition(topic, partition, offset)
        try:
            record = self._read(place) if self._is_inside(place) else None
        except KafkaException as error:
            if error.args[0].code() in _NO_SUCH_PLACE:
                return None
            raise failure_of(error) from error
        return record if record and record.offset == offset else None

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()

    def _is_inside(self, place: TopicPartition) -> bool:
        low, high = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS)
        return low <= place.offset < high

    def _read(self, place: TopicPartition) -> InboundRecord | None:
        """The first record from there on; None at the end of the partition."""
        self._consumer.assign([place])
        messages = self._consumer.consume(1, _TIMEOUT_SECONDS)
        if not messages:
            raise TransientError(f"Kafka did not send {place.topic}-{place.partition}-{place.offset}")
        return record_of(messages[0])

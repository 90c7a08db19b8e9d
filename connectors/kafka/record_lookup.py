"""Fetches single records by their coordinates, committed ones only, in no group."""

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.group_reader import record_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord

_TIMEOUT_SECONDS = 10.0
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

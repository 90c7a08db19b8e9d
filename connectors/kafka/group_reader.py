"""One member of one consumer group: takes records, remembers how far, goes back when told."""

from collections.abc import Sequence
from math import inf

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.settings import KafkaSettings
from schemas.records import InboundRecord

_NOT_A_FAILURE = frozenset({KafkaError._PARTITION_EOF})
_COMMITTED_TIMEOUT_SECONDS = 10.0


class GroupReader:
    """Not thread-safe. The reader never commits; a transaction does (connectors/kafka/transactions.py)."""

    def __init__(self, settings: KafkaSettings, group: str, topics: Sequence[str], instance: str) -> None:
        self.group = group
        self._topics = list(topics)
        self._consumer = Consumer(consumer_config(settings, group, instance))
        self._positions: dict[tuple[str, int], int] = {}

    def subscribe(self) -> None:
        """Join the group. Until then the member holds no partition."""
        self._consumer.subscribe(self._topics, on_revoke=self._forget, on_lost=self._forget)

    @property
    def assignment(self) -> list[tuple[str, int]]:
        """The (topic, partition) pairs that this member holds."""
        return [(held.topic, held.partition) for held in self._consumer.assignment()]

    def take(self, limit: int, timeout_seconds: float, limit_bytes: float = inf) -> list[InboundRecord]:
        """Up to `limit` records; an empty list after the timeout. Raises TransientError or FatalError.

        The record that brings the values to `limit_bytes` is the last one.
        """
        try:
            # consume() waits for the full number, so wait for the first one only.
            messages = self._consumer.consume(1, timeout_seconds)
            if messages and limit > 1:
                messages += self._waiting(limit - 1, limit_bytes - _size_of(messages[0]))
        except KafkaException as error:
            raise failure_of(error) from error
        records = [record for message in messages if (record := record_of(message))]
        self._positions.update({(record.topic, record.partition): record.offset + 1 for record in records})
        return records

    def offsets(self) -> list[TopicPartition]:
        """The next offset of every partition that records were taken from since `settle` or `rewind`."""
        return [TopicPartition(topic, partition, at) for (topic, partition), at in self._positions.items()]

    def group_metadata(self) -> object:
        """Names this member and generation: with it, the broker fences a zombie's transaction."""
        return self._consumer.consumer_group_metadata()

    def settle(self) -> None:
        """What was taken is committed."""
        self._positions.clear()

    def rewind(self) -> None:
        """Take again whatever was taken and not committed. Raises TransientError when Kafka is away."""
        held = [TopicPartition(*partition) for partition in self.assignment]
        self._positions.clear()
        if not held:
            return
        try:
            for place in self._consumer.committed(held, timeout=_COMMITTED_TIMEOUT_SECONDS):
                place.offset = place.offset if place.offset >= 0 else OFFSET_BEGINNING
                self._consumer.seek(place)
        except KafkaException as error:
            raise failure_of(error) from error

    def close(self) -> None:
        """Leave the group at once, so that others take over without waiting for a time-out."""
        self._consumer.close()

    def _waiting(self, limit: int, limit_bytes: float) -> list[Message]:
        """What has been fetched already."""
        if limit_bytes == inf:
            return self._consumer.consume(limit, 0)
        messages: list[Message] = []
        while len(messages) < limit and limit_bytes > 0 and (found := self._consumer.consume(1, 0)):
            messages += found
            limit_bytes -= _size_of(found[0])
        return messages

    def _forget(self, _consumer: Consumer, lost: list[TopicPartition]) -> None:
        for place in lost:
            self._positions.pop((place.topic, place.partition), None)


def record_of(message: Message) -> InboundRecord | None:
    """The record in a message; None for a notice. Raises TransientError or FatalError for a failure."""
    error, topic, partition, offset = message.error(), message.topic(), message.partition(), message.offset()
    if error is not None and error.code() in _NOT_A_FAILURE:
        return None
    if error is not None or topic is None or partition is None or offset is None:
        raise failure_of(error or KafkaError(KafkaError._BAD_MSG))
    return InboundRecord(
        topic, partition, offset, message.key(), message.value(), _headers(message), message.timestamp()[1]
    )


def _size_of(message: Message) -> int:
    return len(message.value() or b"")


def _headers(message: Message) -> dict[str, bytes]:
    found = message.headers() or []
    pairs = found.items() if isinstance(found, dict) else found
    return {name: value.encode() if isinstance(value, str) else value or b"" for name, value in pairs}

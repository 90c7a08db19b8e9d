"""Reads a whole topic from where it ends now (or from its beginning), committed records only, in no group."""

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.group_reader import record_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord

_TIMEOUT_SECONDS = 10.0
_RETRY_SECONDS = 0.1
_END_SECONDS, _SILENCE_SECONDS = 0.5, 30.0


class LogReader:
    """Nothing is committed, nobody's group is disturbed."""

    def __init__(self, settings: KafkaSettings, topic: str, *, from_beginning: bool = False) -> None:
        config = consumer_config(settings, "dragoman.log_reader", "log_reader") | {"enable.partition.eof": True}
        self._consumer = Consumer(config)
        end = time.monotonic() + _TIMEOUT_SECONDS
        while not self._is_assigned(topic, from_beginning, is_last_try=time.monotonic() > end):
            time.sleep(_RETRY_SECONDS)

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Up to `limit` records; what is there after the timeout at the latest."""
        found = [record_of(message) for message in self._consumer.consume(limit, timeout_seconds)]
        return [record for record in found if record is not None]

    def until_end(self, limit: int) -> Iterator[list[InboundRecord]]:
        """All records up to where the topic ends when that place is reached, so many at once at most.

        Raises TransientError when nothing comes for half a minute.
        """
        left = {place.partition for place in self._consumer.assignment()}
        heard_at = time.monotonic()
        while left:
            messages = self._consumer.consume(limit, _END_SECONDS)
            left -= {message.partition() for message in messages if _is_end(message)}
            if records := [record for message in messages if (record := record_of(message))]:
                yield records
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _SILENCE_SECONDS:
                raise TransientError(f"Kafka sends nothing of {len(left)} partitions")

    def close(self) -> None:
        """Closes the connections."""
        self._consumer.close()

    def _is_assigned(self, topic: str, from_beginning: bool, *, is_last_try: bool) -> bool:
        """False while a partition has no leader, as just after its creation. Raises TransientError, FatalError."""
        try:
            places = [self._start(topic, number, from_beginning) for number in self._partitions(topic)]
            self._consumer.assign(places)
        except KafkaException as error:
            failure = failure_of(error)
            if is_last_try or not isinstance(failure, TransientError):
                raise failure from error
            return False
        return True

    def _partitions(self, topic: str) -> list[int]:
        return list(self._consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions)

    def _start(self, topic: str, number: int, from_beginning: bool) -> TopicPartition:
        place = TopicPartition(topic, number)
        place.offset = OFFSET_BEGINNING
        if not from_beginning:
            # A number, not "end": records that arrive before the first fetch must not be missed.
            place.offset = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS)[1]
        return place


def _is_end(message: Message) -> bool:
    """Whether it is the notice that a partition has been read to its end."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF

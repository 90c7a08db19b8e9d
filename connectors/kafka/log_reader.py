"""Reads a whole topic from where it ends now, committed records only, in no group."""

import time

from confluent_kafka import KafkaException, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.group_reader import records_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.watchful_consumer import WatchfulConsumer
from schemas.errors import TransientError
from schemas.records import InboundRecord

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

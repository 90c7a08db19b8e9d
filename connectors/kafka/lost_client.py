"""Finds a client that will never hear of Kafka again.

A cluster that starts may answer with no broker at all. librdkafka (2.16; its issue 5301) then gives up every
broker it knew, those of its bootstrap list too, and has nobody left to ask. Only a new client helps.
"""

from collections.abc import Callable

from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError

# In a row: right after an outage a client that is well may come back a moment later than a new one.
_TIMES = 3


class LostClient:
    """For one thread at a time. Both questions take seconds while Kafka is away."""

    def __init__(self, is_heard: Callable[[], bool], is_another_heard: Callable[[], bool]) -> None:
        self._is_heard, self._is_another_heard = is_heard, is_another_heard
        self._times = 0

    def is_heard(self) -> bool:
        """Whether Kafka answers the client. Raises FatalError when it answered three new ones in a row instead."""
        if self._is_heard():
            self._times = 0
            return True
        self._times = self._times + 1 if self._is_another_heard() else 0
        if self._times >= _TIMES:
            raise FatalError("Kafka answers new clients and not this one, which knows no broker any more")
        return False


def watch_producer(settings: KafkaSettings, producer: DurableProducer) -> LostClient:
    """Compares the producer with new ones."""

    def is_another_heard() -> bool:
        another = DurableProducer(settings)
        try:
            return another.is_reachable()
        finally:
            another.close(0)

    return LostClient(producer.is_reachable, is_another_heard)

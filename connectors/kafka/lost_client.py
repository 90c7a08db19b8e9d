"""Finds a client that will never hear of Kafka again.

A cluster that starts may answer with no broker at all. librdkafka (2.16; its issue 5301) then gives up every
broker it knew, those of its bootstrap list too, and has nobody left to ask. Only a new client helps.
"""

from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from connectors.kafka.client_config import client_config
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError

# In a row: right after an outage a client that is well may come back a moment later than a new one.
_TIMES = 3
_ANSWER_SECONDS = 2.0


class LostConnectionError(FatalError):
    """The client can never be used again; a new one can."""


class MetadataClient(Protocol):
    """Any client of confluent-kafka."""

    def list_topics(self, *, timeout: float) -> Any:
        """Raises KafkaException when nobody answers in time."""


class LostConnection:
    """For one thread at a time. Both questions take seconds while Kafka is away."""

    def __init__(self, is_heard: Callable[[], bool], is_another_heard: Callable[[], bool]) -> None:
        self._is_heard, self._is_another_heard = is_heard, is_another_heard
        self._times = 0

    def is_heard(self) -> bool:
        """Whether Kafka answers the client. Raises LostConnectionError after three answers to new ones instead."""
        if self._is_heard():
            self._times = 0
            return True
        self._times = self._times + 1 if self._is_another_heard() else 0
        if self._times >= _TIMES:
            raise LostConnectionError("Kafka answers new clients and not this one, which knows no broker any more")
        return False


def is_reachable(client: MetadataClient, timeout_seconds: float = _ANSWER_SECONDS) -> bool:
    """Whether a broker answers this client right now."""
    try:
        client.list_topics(timeout=timeout_seconds)
    except KafkaException:
        return False
    return True


def watch_connection(settings: KafkaSettings, is_heard: Callable[[], bool]) -> LostConnection:
    """Compares the client that is asked there with new ones."""
    return LostConnection(is_heard, lambda: is_reachable(AdminClient(client_config(settings))))

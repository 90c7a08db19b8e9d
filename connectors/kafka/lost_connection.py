"""Finds a client that will never hear of Kafka again.

A cluster that starts may answer with no broker at all. librdkafka (2.16; its issue 5301) then gives up every
broker it knew, those of its bootstrap list too, and has nobody left to ask. Only a new client helps.

A consumer that notices when it can never receive anything again, whatever it is used for.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaException, Message
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


# Nothing to read is the usual reason to be idle, so it asks now and then, and sooner in doubt.
_IDLE_SECONDS, _DOUBT_SECONDS = 5.0, 2.0
# Of the thread that reads: a rebalance waits for it meanwhile.
_ANSWER_SECONDS_WATCHFUL_CONSUMER = 1.0


class WatchfulConsumer(Consumer):
    """Its `consume` raises LostClientError, too."""

    def __init__(self, settings: KafkaSettings, config: Mapping[str, str | int | float | bool]) -> None:
        super().__init__(dict(config))
        self._lost = watch_connection(settings, lambda: is_reachable(self, _ANSWER_SECONDS_WATCHFUL_CONSUMER))
        self._ask_at = time.monotonic() + _IDLE_SECONDS

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """As the library's, failures among the messages."""
        return self._noted(super().consume(num_messages, timeout))

    def _noted(self, messages: list[Message]) -> list[Message]:
        now = time.monotonic()
        if messages:
            self._ask_at = now + _IDLE_SECONDS
        elif now > self._ask_at:
            self._ask_at = now + (_IDLE_SECONDS if self._lost.is_heard() else _DOUBT_SECONDS)
        return messages

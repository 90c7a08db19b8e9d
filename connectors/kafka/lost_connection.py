"""Notice a Kafka client that will never reach the brokers again.

A cluster that is starting may answer with an empty list of brokers. librdkafka (2.16; its issue 5301) then drops
every broker it knew, the bootstrap brokers included, and has none left to ask. Only a new client helps.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka.admin import AdminClient

from connectors.kafka.client_config import client_config
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError

# In a row: just after an outage a healthy client may come back a moment later than a new one.
_MOST_FAILED_CHECKS = 3
_ANSWER_SECONDS = 2.0
# A consumer that receives nothing is usually just idle, so it checks rarely; after a failed check sooner.
_IDLE_SECONDS, _RECHECK_SECONDS = 5.0, 2.0
# On the thread that reads: a rebalance waits for it meanwhile.
_CONSUMER_ANSWER_SECONDS = 1.0


class LostConnectionError(FatalError):
    """This client can never be used again; a new one can."""


class MetadataClient(Protocol):
    """Any client of confluent-kafka."""

    def list_topics(self, *, timeout: float) -> Any:
        """Ask a broker for the topics. Raises KafkaException if none answers in time."""


class LostConnection:
    """Compares a client with new ones: it is lost if they reach Kafka and it does not, three times in a row.

    For one thread at a time. Both callables may take seconds while Kafka is away.
    """

    def __init__(self, is_answered: Callable[[], bool], is_new_client_answered: Callable[[], bool]) -> None:
        self._is_answered, self._is_new_client_answered = is_answered, is_new_client_answered
        self._failed_checks = 0

    def is_answered(self) -> bool:
        """Tell whether Kafka answers the client. Raises LostConnectionError once the client is lost."""
        if self._is_answered():
            self._failed_checks = 0
            return True
        self._failed_checks = self._failed_checks + 1 if self._is_new_client_answered() else 0
        if self._failed_checks >= _MOST_FAILED_CHECKS:
            raise LostConnectionError("Kafka answers new clients and not this one, which knows no broker any more")
        return False


def is_reachable(client: MetadataClient, timeout_seconds: float = _ANSWER_SECONDS) -> bool:
    """Tell whether a broker answers this client right now."""
    try:
        client.list_topics(timeout=timeout_seconds)
    except KafkaException:
        return False
    return True


def watch_connection(settings: KafkaSettings, is_answered: Callable[[], bool]) -> LostConnection:
    """Return a check that compares the client behind `is_answered` with new admin clients."""
    return LostConnection(is_answered, lambda: is_reachable(AdminClient(client_config(settings))))


class WatchfulConsumer(Consumer):
    """A consumer that checks its connection while it receives nothing; `consume` may raise LostConnectionError."""

    def __init__(self, settings: KafkaSettings, config: Mapping[str, Any]) -> None:
        super().__init__(dict(config))
        self._connection = watch_connection(settings, lambda: is_reachable(self, _CONSUMER_ANSWER_SECONDS))
        self._check_at = time.monotonic() + _IDLE_SECONDS

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Consume as the library does, with failures among the messages."""
        messages = super().consume(num_messages, timeout)
        self._check_if_idle(is_idle=not messages)
        return messages

    def _check_if_idle(self, *, is_idle: bool) -> None:
        now = time.monotonic()
        if not is_idle:
            self._check_at = now + _IDLE_SECONDS
        elif now > self._check_at:
            self._check_at = now + (_IDLE_SECONDS if self._connection.is_answered() else _RECHECK_SECONDS)

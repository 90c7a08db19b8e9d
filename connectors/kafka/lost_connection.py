"""Notice a Kafka client that will never reach the brokers again.

A cluster that is starting may answer with an empty list of brokers. librdkafka (2.16; its issue 5301) then drops
every broker it knew, the bootstrap brokers included, and has none left to ask. Only a new client helps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka.admin import AdminClient

from connectors.kafka.client_config import client_config
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError
from schemas.topics import RESULTS

# In a row: just after an outage a healthy client may come back a moment later than a new one.
_MOST_FAILED_CHECKS = 3
_ANSWER_SECONDS = 2.0
STATISTICS_MS = 3000
_UP = '"state":"UP"'


class LostConnectionError(FatalError):
    """This client can never be used again; a new one can."""


class MetadataClient(Protocol):
    """Any client of confluent-kafka."""

    def list_topics(self, topic: str, *, timeout: float) -> Any:
        """Ask a broker for a topic. Raises KafkaException if none answers in time."""


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
        # Whether there is such a topic does not matter; an answer with all topics would cost the broker far more.
        client.list_topics(RESULTS, timeout=timeout_seconds)
    except KafkaException:
        return False
    return True


def watch_connection(settings: KafkaSettings, is_answered: Callable[[], bool]) -> LostConnection:
    """Return a check that compares the client behind `is_answered` with new admin clients."""
    return LostConnection(is_answered, lambda: is_reachable(AdminClient(client_config(settings))))


@dataclass
class Link:
    """What the library's statistics tell of a client's connection."""

    is_connected: bool = True
    has_news: bool = False

    def note(self, statistics: str) -> None:
        """Read statistics. Called in `consume`, where an exception would be lost."""
        self.is_connected, self.has_news = is_connected(statistics), True


class WatchfulConsumer(Consumer):
    """A consumer that watches its connection; `consume` may raise LostConnectionError.

    It asks nobody: a question waits behind the fetch that the broker holds, and the reading thread with it, for up
    to `fetch_wait_ms`. The library's own statistics say which brokers it knows and is connected to.
    """

    def __init__(self, settings: KafkaSettings, config: Mapping[str, Any]) -> None:
        # Nothing that the client calls knows the client: in a circle it would live on after its end until the
        # collector comes, which is seldom, and a process can hold no more than a thousand clients.
        self._link = link = Link()
        self._connection = watch_connection(settings, lambda: link.is_connected)
        super().__init__({**config, "statistics.interval.ms": STATISTICS_MS, "stats_cb": link.note})

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Consume as the library does, with failures among the messages."""
        messages = super().consume(num_messages, timeout)
        if self._link.has_news:
            self._link.has_news = False
            self._connection.is_answered()
        return messages


def is_connected(statistics: str) -> bool:
    """Tell by librdkafka's statistics (JSON) whether a connection to a broker is up.

    Only brokers have a state of that name. Reading the whole JSON would take 0.4 ms.
    """
    return _UP in statistics

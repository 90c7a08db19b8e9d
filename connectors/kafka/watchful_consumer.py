"""A consumer that notices when it can never receive anything again, whatever it is used for."""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, Message

from connectors.kafka.lost_client import watch_connection, is_reachable
from connectors.kafka.settings import KafkaSettings

# Nothing to read is the usual reason to be idle, so it asks now and then, and sooner in doubt.
_IDLE_SECONDS, _DOUBT_SECONDS = 5.0, 2.0
# Of the thread that reads: a rebalance waits for it meanwhile.
_ANSWER_SECONDS = 1.0


class WatchfulConsumer(Consumer):
    """Its `consume` raises LostClientError, too."""

    def __init__(self, settings: KafkaSettings, config: Mapping[str, str | int | float | bool]) -> None:
        super().__init__(dict(config))
        self._lost = watch_connection(settings, lambda: is_reachable(self, _ANSWER_SECONDS))
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

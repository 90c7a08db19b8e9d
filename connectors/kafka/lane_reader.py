"""A committing reader of several topics, any of which can be held."""

from collections.abc import Set
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka.committing_reader import CommittingReader, TakenRecord
from connectors.kafka.errors import failure_of

# What was fetched of a topic that is held is dropped, and fetched again later.
_FETCH_BYTES = "max.partition.fetch.bytes"


class LaneReader(CommittingReader):
    """Delivers at least once, as a CommittingReader does, and nothing of the topics that are held."""

    _held: Set[str] = frozenset()
    _is_hold_due = False

    def hold(self, topics: Set[str]) -> None:
        """Deliver nothing of these topics from the next `take` on, and everything of all others again.

        What was fetched of them is fetched again later, which may take `fetch_wait_ms`: a broker that holds a
        fetch of the others answers it first.
        """
        self._held, self._is_hold_due = frozenset(topics), True

    def take(self, limit: int, timeout_seconds: float, limit_bytes: float = float("inf")) -> list[TakenRecord]:
        self._apply_hold()
        return super().take(limit, timeout_seconds, limit_bytes)

    def rewind(self) -> None:
        # A partition begins again where it was paused, whatever it was told meanwhile.
        self.hold(frozenset())
        self._apply_hold()
        super().rewind()

    def _config(self) -> dict[str, Any]:
        if len(self.topics) == 1:
            return super()._config()
        return super()._config() | {_FETCH_BYTES: self._settings.held_fetch_bytes}

    def _apply_hold(self) -> None:
        if not self._is_hold_due:
            return
        partitions = self._consumer.assignment()
        try:
            self._consumer.pause([one for one in partitions if one.topic in self._held])
            self._consumer.resume([one for one in partitions if one.topic not in self._held])
        except KafkaException as error:
            raise failure_of(error) from error
        self._is_hold_due = False

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        # librdkafka may remember that a partition was paused when it was given up, so all of them are told anew.
        super()._on_assign(consumer, assigned)
        self._is_hold_due = True

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._is_hold_due = True

"""Whether any group's committed offset ever went backwards, asked again and again while the run lasts."""

import threading
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

Place = tuple[str, str, int]
"""Group, topic, partition."""

_POLL_SECONDS = 3.0
_ANSWER_SECONDS = 5.0


class Waterline:
    """How far each group was seen on each partition. Pure."""

    def __init__(self) -> None:
        self._highest: dict[Place, int] = {}
        self.backwards: list[str] = []

    def look(self, committed: Mapping[Place, int]) -> None:
        """Notes every place that is behind where it was."""
        for place, offset in committed.items():
            before = self._highest.get(place, 0)
            if offset < before:
                self.backwards.append(f"{place}: {before} -> {offset}")
            self._highest[place] = offset


class OffsetWatch(threading.Thread):
    """Its own thread, because Kafka may be away. `close` ends it after a last look."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(name="offsets", daemon=True)
        self.waterline = Waterline()
        self.looks = 0
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
        self._closing = threading.Event()

    def run(self) -> None:
        while not self._closing.wait(_POLL_SECONDS):
            self._look()

    def close(self) -> None:
        """Returns when the thread has ended."""
        self._closing.set()
        self.join()
        self._look()

    def _look(self) -> None:
        try:
            listed = self._admin.list_consumer_groups(request_timeout=_ANSWER_SECONDS).result(_ANSWER_SECONDS)
            for group in (found.group_id for found in listed.valid):
                self.waterline.look(self._committed(group))
            self.looks += 1
        except (KafkaException, FutureTimeoutError):
            return  # Kafka is away; the next look sees what it knows then

    def _committed(self, group: str) -> dict[Place, int]:
        asked = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=_ANSWER_SECONDS
        )
        found = asked[group].result(_ANSWER_SECONDS)
        return {(group, place.topic, place.partition): place.offset for place in found.topic_partitions}

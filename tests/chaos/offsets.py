"""Whether any group's committed offset ever went backwards, asked again and again while the run lasts."""

import threading
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

Place = tuple[str, str, int]
"""Group, topic, partition."""

_POLL_SECONDS = 3.0
_ANSWER_SECONDS = 5.0
# Of looks in a row without an answer. Then the clients are replaced: one can be lost for good.
_BLIND_LOOKS = 3


class Waterline:
    """How far each group was seen on each partition. Pure."""

    def __init__(self) -> None:
        self._highest: dict[Place, int] = {}
        self.backwards: list[str] = []

    def look(self, committed: Mapping[Place, int]) -> None:
        """Notes every place that is behind where it was."""
        for place, offset in committed.items():
            before = self._highest.get(place, offset)
            if offset < before:
                self.backwards.append(f"{place}: {before} -> {offset}")
            self._highest[place] = offset


class OffsetWatch(threading.Thread):
    """Its own thread, because Kafka may be away. `close` ends it after a last look.

    It asks as a silent member of each group would: librdkafka's (2.16) admin client may never answer such a
    question again once a broker went away, and end the process with a failed assertion.
    """

    def __init__(self, bootstrap: str) -> None:
        super().__init__(name="offsets", daemon=True)
        self.waterline = Waterline()
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
        topics = admin.list_topics(timeout=_ANSWER_SECONDS).topics
        self._places = [(name, number) for name, topic in topics.items() for number in topic.partitions]
        listed = admin.list_consumer_groups(request_timeout=_ANSWER_SECONDS).result(_ANSWER_SECONDS)
        self._broker = bootstrap
        self._readers = {found.group_id: _reader(bootstrap, found.group_id) for found in listed.valid}
        self._blind_looks = 0
        self._closing = threading.Event()

    def run(self) -> None:
        while not self._closing.wait(_POLL_SECONDS):
            self._look()

    def close(self) -> None:
        """Returns when the thread has ended."""
        self._closing.set()
        self.join()
        self._look()
        for reader in self._readers.values():
            reader.close()

    def _look(self) -> None:
        for group, reader in self._readers.items():
            try:
                found = reader.committed([TopicPartition(*place) for place in self._places], _ANSWER_SECONDS)
            except KafkaException:
                self._be_blind()
                return  # Kafka is away; the next look sees what it knows then
            # Below zero where the group has committed nothing.
            known = [place for place in found if place.offset >= 0]
            self.waterline.look({(group, place.topic, place.partition): place.offset for place in known})
        self._blind_looks = 0

    def _be_blind(self) -> None:
        self._blind_looks += 1
        if self._blind_looks % _BLIND_LOOKS == 0:
            self._readers = {group: _reader(self._broker, group) for group in self._readers}


def _reader(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "isolation.level": "read_uncommitted",
            "enable.auto.commit": False,
            "log_level": 2,
        }
    )

"""Poll the committed offsets of every group during the run, and note each one that goes backwards."""

import threading
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

GroupPartition = tuple[str, str, int]
"""Group, topic, partition."""

_POLL_SECONDS = 3.0
_ANSWER_SECONDS = 5.0
# After this many polls without an answer the clients are replaced: librdkafka can lose a connection for good.
_FAILED_POLLS = 3


class HighestOffsets:
    """The highest offset seen for each group and partition. Pure."""

    def __init__(self) -> None:
        self._highest: dict[GroupPartition, int] = {}
        self.backwards: list[str] = []

    def note(self, committed: Mapping[GroupPartition, int]) -> None:
        """Record every offset that is lower than before."""
        for partition, offset in committed.items():
            before = self._highest.get(partition, offset)
            if offset < before:
                self.backwards.append(f"{partition}: {before} -> {offset}")
            self._highest[partition] = offset


class OffsetWatch(threading.Thread):
    """A thread of its own, because Kafka may be unreachable. `close` ends it after a last poll.

    It reads with a consumer of each group that never joins: the admin client of librdkafka 2.16 may stop
    answering once a broker became unreachable, and end the process with a failed assertion.
    """

    def __init__(self, bootstrap: str) -> None:
        super().__init__(name="offsets", daemon=True)
        self.highest = HighestOffsets()
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
        topics = admin.list_topics(timeout=_ANSWER_SECONDS).topics
        self._partitions = [(name, number) for name, topic in topics.items() for number in topic.partitions]
        listed = admin.list_consumer_groups(request_timeout=_ANSWER_SECONDS).result(_ANSWER_SECONDS)
        self._bootstrap_servers = bootstrap
        self._readers = {found.group_id: _reader(bootstrap, found.group_id) for found in listed.valid}
        self._failed_polls = 0
        self._closing = threading.Event()

    def run(self) -> None:
        while not self._closing.wait(_POLL_SECONDS):
            self._poll()

    def close(self) -> None:
        """Return when the thread has ended."""
        self._closing.set()
        self.join()
        self._poll()
        for reader in self._readers.values():
            reader.close()

    def _poll(self) -> None:
        for group, reader in self._readers.items():
            try:
                found = reader.committed([TopicPartition(*one) for one in self._partitions], _ANSWER_SECONDS)
            except KafkaException:
                self._count_failure()
                return  # Kafka is unreachable; the next poll sees the offsets then
            # Negative where the group has committed nothing.
            known = [one for one in found if one.offset >= 0]
            self.highest.note({(group, one.topic, one.partition): one.offset for one in known})
        self._failed_polls = 0

    def _count_failure(self) -> None:
        self._failed_polls += 1
        if self._failed_polls % _FAILED_POLLS == 0:
            self._readers = {group: _reader(self._bootstrap_servers, group) for group in self._readers}


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

"""Topics as the catalogue wants them, and how far the groups have come."""

from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from connectors.kafka.client_config import client_config
from connectors.kafka.failures import failure_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.topics import Topic, catalogue

_TIMEOUT_SECONDS = 20.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library's stub lacks it


@dataclass(frozen=True)
class PartitionLag:
    """How many records of one partition a group has still to read."""

    topic: str
    partition: int
    committed: int
    end: int

    @property
    def records(self) -> int:
        return max(self.end - max(self.committed, 0), 0)


class KafkaAdmin:
    """Creates and checks topics, reads lag. Every call raises TransientError when Kafka is away."""

    def __init__(self, settings: KafkaSettings, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._client = AdminClient(client_config(settings))

    def create_topics(self) -> list[str]:
        """Creates what is missing and waits until it can be seen; returns the names it created."""
        missing = [topic for topic in catalogue(self._settings.plan) if topic.name not in self.partitions()]
        if missing:
            self._create([_new_topic(topic, self._settings) for topic in missing])
        return [topic.name for topic in missing]

    def create_topic(self, topic: Topic) -> None:
        """Creates a topic that is not in the catalogue; one that is there already stays as it is."""
        if topic.name not in self.partitions():
            self._create([_new_topic(topic, self._settings)])

    def check_topics(self) -> list[str]:
        """One line for every difference between the catalogue and the cluster."""
        there = self.partitions()
        return [
            f"{topic.name}: {there.get(topic.name, 0)} partitions, the catalogue says {topic.partitions}"
            for topic in catalogue(self._settings.plan)
            if there.get(topic.name) != topic.partitions
        ]

    def partitions(self) -> dict[str, int]:
        """Number of partitions of every topic in the cluster."""
        try:
            topics = self._client.list_topics(timeout=self._timeout_seconds).topics
        except KafkaException as error:
            raise failure_of(error) from error
        return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}

    def lag(self, group: str, topics: list[str]) -> list[PartitionLag]:
        """Lag of the group on every partition of the topics; uncommitted partitions count from 0."""
        there = self.partitions()
        places = [TopicPartition(topic, number) for topic in topics for number in range(there.get(topic, 0))]
        try:
            ends = self._ends(places)
            return [
                PartitionLag(place.topic, place.partition, place.offset, ends[place.topic, place.partition])
                for place in self._committed(group, places)
            ]
        except KafkaException as error:
            raise failure_of(error) from error

    def _create(self, topics: list[NewTopic]) -> None:
        for name, future in self._client.create_topics(topics, operation_timeout=self._timeout_seconds).items():
            try:
                future.result(self._timeout_seconds)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise TransientError(f"topic {name} cannot be created: {failure_of(error)}") from error

    def _committed(self, group: str, places: list[TopicPartition]) -> list[TopicPartition]:
        request = ConsumerGroupTopicPartitions(group, places)
        answer = self._client.list_consumer_group_offsets([request])[group].result(self._timeout_seconds)
        return list(answer.topic_partitions)

    def _ends(self, places: list[TopicPartition]) -> dict[tuple[str, int], int]:
        futures = self._client.list_offsets(dict.fromkeys(places, _LATEST))
        return {
            (place.topic, place.partition): future.result(self._timeout_seconds).offset
            for place, future in futures.items()
        }


def _new_topic(topic: Topic, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=settings.replication,
        config={
            "cleanup.policy": topic.cleanup,
            "retention.ms": str(topic.retention_ms),
            "max.message.bytes": str(settings.max_message_bytes),
            "min.insync.replicas": str(max(settings.replication - 1, 1)),
        },
    )

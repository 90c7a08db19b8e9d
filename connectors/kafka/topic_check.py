"""Compare the catalogue with the topics of a cluster: every difference and its cure. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.kafka.settings import KafkaSettings
from schemas.topics import FOREVER_MS, NO_LIMIT_BYTES, REQUEST_RETENTION_MS, Topic, is_batches

# Kafka accepts no smaller segment.
_SEGMENTS, _SMALLEST_BYTES = 8, 1 << 20
CREATE = "dragoman topics create"


@dataclass(frozen=True)
class ActualTopic:
    """A topic of the cluster: its number of partitions, and its settings by their Kafka names."""

    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One deviation from the catalogue. `cure` is a command."""

    topic: str
    name: str
    found: str
    wanted: str
    cure: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.name} is {self.found}, the catalogue says {self.wanted}; cure: {self.cure}"


def wanted_settings(topic: Topic, settings: KafkaSettings) -> dict[str, str]:
    """Return the settings that the catalogue and the deployment want, by their Kafka names."""
    return {
        "cleanup.policy": topic.cleanup,
        "message.timestamp.type": topic.stamped_by,
        "retention.ms": str(topic.retention_ms),
        "retention.bytes": str(topic.retention_bytes),
        **_segments(topic, settings),
        **_compaction(topic),
        "max.message.bytes": str(settings.max_message_bytes),
        "min.insync.replicas": str(max(settings.replication - 1, 1)),
    }


def _segments(topic: Topic, settings: KafkaSettings) -> dict[str, str]:
    if topic.retention_bytes == NO_LIMIT_BYTES:
        return {}
    # Kafka deletes whole segments and never the newest: small ones keep the partition near its bound.
    return {
        "segment.bytes": str(max(topic.retention_bytes // _SEGMENTS, settings.max_message_bytes, _SMALLEST_BYTES))
    }


def _compaction(topic: Topic) -> dict[str, str]:
    if topic.cleanup == "delete" or topic.retention_ms == FOREVER_MS:
        return {}
    # What was erased is gone when the request itself is, however little is written.
    return {"max.compaction.lag.ms": str(REQUEST_RETENTION_MS)}


def differences(topic: Topic, found: ActualTopic | None, settings: KafkaSettings) -> list[Difference]:
    """Return all differences of one topic; `found` is None if the cluster has no such topic."""
    if found is None:
        return [Difference(topic.name, "partitions", "0", str(topic.partitions), CREATE)]
    of_settings = _differing(topic, found, wanted_settings(topic, settings), settings.bootstrap)
    if found.partitions == topic.partitions:
        return list(of_settings)
    return [_of_partitions(topic, found.partitions, settings.bootstrap), *of_settings]


def _of_partitions(topic: Topic, number: int, bootstrap: str) -> Difference:
    # Kafka can add partitions, but never remove one.
    cure = f"kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic {topic.name}"
    cure = f"{cure} --partitions {topic.partitions}"
    if number > topic.partitions:
        setting = "DRAGOMAN_KAFKA_BATCH_PARTITIONS" if is_batches(topic.name) else "DRAGOMAN_KAFKA_PARTITIONS"
        cure = f"set {setting}={number}"
    return Difference(topic.name, "partitions", str(number), str(topic.partitions), cure)


def _differing(
    topic: Topic, found: ActualTopic, wanted: Mapping[str, str], bootstrap: str
) -> Iterator[Difference]:
    for name, value in wanted.items():
        actual = found.settings.get(name, "unknown")
        if _parts(actual) != _parts(value):
            alter = f"kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics"
            # Kafka's tool wants brackets around a value that is a list.
            shown = f"[{value}]" if "," in value else value
            cure = f"{alter} --entity-name {topic.name} --add-config {name}={shown}"
            yield Difference(topic.name, name, actual, value, cure)


def _parts(value: str) -> set[str]:
    """Split the value, as the order of a list does not matter."""
    return set(value.split(","))

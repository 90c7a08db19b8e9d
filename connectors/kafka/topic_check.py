"""The catalogue held against what a cluster has: every difference, and what to do about it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.kafka.settings import KafkaSettings
from schemas.topics import NO_LIMIT_BYTES, Topic

# Kafka takes no smaller segment.
_SEGMENTS, _SMALLEST_BYTES = 8, 1 << 20
CREATE = "dragoman topics create"


@dataclass(frozen=True)
class Found:
    """A topic as the cluster has it: its number of partitions and its settings by their Kafka names."""

    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the catalogue says. `cure` is a command."""

    topic: str
    name: str
    found: str
    wanted: str
    cure: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.name} is {self.found}, the catalogue says {self.wanted}; cure: {self.cure}"


def wanted_settings(topic: Topic, settings: KafkaSettings) -> dict[str, str]:
    """What the catalogue and the deployment say of the topic, by Kafka's names."""
    return {
        "cleanup.policy": topic.cleanup,
        "retention.ms": str(topic.retention_ms),
        "retention.bytes": str(topic.retention_bytes),
        **_segments(topic, settings),
        "max.message.bytes": str(settings.max_message_bytes),
        "min.insync.replicas": str(max(settings.replication - 1, 1)),
    }


def _segments(topic: Topic, settings: KafkaSettings) -> dict[str, str]:
    if topic.retention_bytes == NO_LIMIT_BYTES:
        return {}
    # Whole segments go at a time, and never the newest: small ones keep the partition near its bound.
    return {
        "segment.bytes": str(max(topic.retention_bytes // _SEGMENTS, settings.max_message_bytes, _SMALLEST_BYTES))
    }


def differences(topic: Topic, found: Found | None, settings: KafkaSettings) -> list[Difference]:
    """All of one topic; None where the cluster has no such topic."""
    if found is None:
        return [Difference(topic.name, "partitions", "0", str(topic.partitions), CREATE)]
    of_settings = _differing(topic, found, wanted_settings(topic, settings), settings.bootstrap)
    if found.partitions == topic.partitions:
        return list(of_settings)
    return [_of_partitions(topic, found.partitions, settings.bootstrap), *of_settings]


def _of_partitions(topic: Topic, there: int, bootstrap: str) -> Difference:
    # Kafka can add partitions, but never take one away.
    cure = f"kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic {topic.name}"
    cure = f"{cure} --partitions {topic.partitions}"
    if there > topic.partitions:
        setting = "DRAGOMAN_KAFKA_BATCH_PARTITIONS" if ".batches." in topic.name else "DRAGOMAN_KAFKA_PARTITIONS"
        cure = f"set {setting}={there}"
    return Difference(topic.name, "partitions", str(there), str(topic.partitions), cure)


def _differing(topic: Topic, found: Found, wanted: Mapping[str, str], bootstrap: str) -> Iterator[Difference]:
    for name, value in wanted.items():
        is_value = found.settings.get(name, "unknown")
        if _parts(is_value) != _parts(value):
            alter = f"kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics"
            # Kafka's tool wants brackets around a value that is a list.
            shown = f"[{value}]" if "," in value else value
            cure = f"{alter} --entity-name {topic.name} --add-config {name}={shown}"
            yield Difference(topic.name, name, is_value, value, cure)


def _parts(value: str) -> set[str]:
    """The order of a list does not matter."""
    return set(value.split(","))

"""Administer the cluster: create and compare topics, measure offsets and lag, inspect and move groups."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from connectors.kafka.client_config import asking_config
from connectors.kafka.errors import failure_of, kafka_errors
from connectors.kafka.group_lag import CommittedOffsets, LagReader, PartitionLag, ReadGroups, is_without_records
from connectors.kafka.lost_connection import LostConnectionError, is_reachable, watch_connection
from connectors.kafka.partition_reader import Span
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_check import ActualTopic, Difference, differences, wanted_settings
from schemas.errors import FatalError, TransientError
from schemas.topics import Topic, catalogue

_TIMEOUT_SECONDS = 20.0
_POLL_SECONDS = 0.1
# A broker answers with all topics and partitions, which costs it and its reader a millisecond each; every process
# measures lag every few seconds, where a partition that is new may be missing for a while.
_PARTITIONS_FRESH_SECONDS, _MEASURED_FRESH_SECONDS = 10.0, 60.0
# The broker notices an ended session with some delay.
_SESSION_MARGIN_SECONDS = 5
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the library's stub lacks it
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as above


class KafkaAdmin:
    """The cluster, as an administrator sees it. Every call raises TransientError while Kafka is unreachable."""

    def __init__(self, settings: KafkaSettings, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._partitions: dict[str, int] = {}
        self._partitions_read_at = -math.inf
        self._read_groups = ReadGroups()
        self._open()
        self._connection = watch_connection(settings, self._is_answered)

    def create_topics(self) -> list[str]:
        """Create the missing topics of the catalogue, wait until they are visible, and return their names."""
        numbers = self.partitions()
        missing = [topic for topic in catalogue(self._settings.plan) if topic.name not in numbers]
        if missing:
            self._create([_new_topic(topic, self._settings) for topic in missing])
            self._wait_until_visible({topic.name for topic in missing})
        return [topic.name for topic in missing]

    def create_topic(self, topic: Topic) -> None:
        """Create a topic that is not in the catalogue; an existing one stays as it is."""
        if topic.name not in self.partitions():
            self._create([_new_topic(topic, self._settings)])

    def check_topics(self) -> list[str]:
        """Return a line for every topic that is missing or has a wrong number of partitions."""
        numbers = self.partitions()
        return [
            f"{topic.name}: {numbers.get(topic.name, 0)} partitions, the catalogue says {topic.partitions}"
            for topic in catalogue(self._settings.plan)
            if numbers.get(topic.name) != topic.partitions
        ]

    def compare_topics(self) -> list[Difference]:
        """Return every difference between the catalogue and the cluster, each with its cure."""
        wanted, numbers = catalogue(self._settings.plan), self.partitions()
        known = self._settings_of([topic.name for topic in wanted if topic.name in numbers])
        found = {name: ActualTopic(numbers[name], values) for name, values in known.items()}
        lists = [differences(topic, found.get(topic.name), self._settings) for topic in wanted]
        return [difference for one in lists for difference in one]

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of every topic in the cluster."""
        with self._asking():
            topics = self._client.list_topics(timeout=self._timeout_seconds).topics
        self._partitions = {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}
        self._partitions_read_at = time.monotonic()
        return dict(self._partitions)

    def lag(self, group: str, topics: list[str]) -> list[PartitionLag]:
        """Return the lag of the group on every partition of the topics; without a commit it counts from 0."""
        return self.lags({group: topics})[group]

    def lags(self, groups: Mapping[str, Sequence[str]]) -> dict[str, list[PartitionLag]]:
        """Return the lag of each group on its topics as `lag` does, with one question for the ends of all."""
        return self._lags(groups, ReadGroups())

    def watched_lags(self, groups: Mapping[str, Sequence[str]]) -> dict[str, list[PartitionLag]]:
        """Return what `lags` does, for who asks every few seconds: of groups at rest, the ends are enough."""
        return self._lags(groups, self._read_groups)

    def _lags(self, groups: Mapping[str, Sequence[str]], read_groups: ReadGroups) -> dict[str, list[PartitionLag]]:
        names = sorted({topic for topics in groups.values() for topic in topics})
        topics = self._partitions_of(names, _MEASURED_FRESH_SECONDS)
        with self._asking():
            ends = self._offsets(topics, _LATEST)
            return {
                group: self._lags_of(
                    group, {one: end for one, end in ends.items() if one[0] in wanted}, read_groups
                )
                for group, wanted in groups.items()
            }

    def _lags_of(
        self, group: str, ends: Mapping[tuple[str, int], int], read_groups: ReadGroups
    ) -> list[PartitionLag]:
        if (known := read_groups.lags(group, ends)) is not None:
            return known
        partitions = [TopicPartition(*one) for one in ends]
        committed = self._committed.read(group, partitions, self._timeout_seconds)
        found = [
            PartitionLag(one.topic, one.partition, one.offset, ends[one.topic, one.partition]) for one in committed
        ]
        read_groups.note(group, found)
        return found

    def members(self, group: str) -> int:
        """Return how many processes are in the group now; 0 also if there is no such group."""
        with self._asking():
            try:
                found = self._client.describe_consumer_groups([group])[group].result(self._timeout_seconds)
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return 0
                raise
            return len(found.members)

    def wait_until_empty(self, group: str, sleep: Callable[[float], object] = time.sleep) -> None:
        """Wait until the group has no members. Raises FatalError if some stay.

        A killed process counts as a member until its session ends.
        """
        for _ in range(math.ceil(self._settings.session_timeout_ms / 1000) + _SESSION_MARGIN_SECONDS):
            if not self.members(group):
                return
            sleep(1.0)
        raise FatalError(f"{self.members(group)} processes of {group} run; stop the platform here first")

    def move_group(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit these offsets for the group. Raises TransientError while it has members."""
        wanted = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        request = ConsumerGroupTopicPartitions(group, wanted)
        with self._asking():
            answer = self._client.alter_consumer_group_offsets([request])[group].result(self._timeout_seconds)
        for partition in answer.topic_partitions:
            if partition.error:
                raise TransientError(f"group {group} cannot be moved: {failure_of(partition.error)}")

    def ends(self, topic: str) -> dict[int, int]:
        """Return the offset behind the last record of every partition of the topic."""
        partitions = self._partitions_of([topic])
        with self._asking():
            return {number: end for (_, number), end in self._offsets(partitions, _LATEST).items()}

    def held_up(self, topics: Sequence[str]) -> set[tuple[str, int, int]]:
        """Return (topic, partition, offset) where committed records end before the last record.

        There the oldest transaction begins that is open in the partition.
        """
        partitions = self._partitions_of(topics, _MEASURED_FRESH_SECONDS)
        with self._asking():
            # The ends first: what is written in between must not look like an open transaction.
            ends = self._offsets(partitions, _LATEST)
            committed = self._offsets(partitions, _LATEST, IsolationLevel.READ_COMMITTED)
        return {(*partition, offset) for partition, offset in committed.items() if offset < ends[partition]}

    def spans(self, topics: list[str], since_ms: int | None = None) -> list[Span]:
        """Measure what is in the topics now, or what was stored since then; uncommitted records included."""
        partitions = self._partitions_of(topics)
        since = _EARLIEST if since_ms is None else OffsetSpec.for_timestamp(max(since_ms, 0))
        with self._asking():
            # The ends last, so that no end lies before its beginning.
            firsts, ends = self._offsets(partitions, since), self._offsets(partitions, _LATEST)
        # -1: nothing was stored since then.
        starts = {partition: first if first >= 0 else ends[partition] for partition, first in firsts.items()}
        return [Span(*partition, first, ends[partition]) for partition, first in starts.items()]

    def _partitions_of(
        self, topics: Sequence[str], fresh_seconds: float = _PARTITIONS_FRESH_SECONDS
    ) -> list[TopicPartition]:
        numbers, is_fresh = self._partitions, time.monotonic() - self._partitions_read_at < fresh_seconds
        if not is_fresh or any(topic not in numbers for topic in topics):
            numbers = self.partitions()
        return [TopicPartition(topic, number) for topic in topics for number in range(numbers.get(topic, 0))]

    def _open(self) -> None:
        self._client = AdminClient(asking_config(self._settings))
        self._committed = CommittedOffsets(self._settings)

    def _is_answered(self) -> bool:
        return is_reachable(self._client) and all(map(is_reachable, self._committed.clients))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise the library's errors as ours, and replace clients that have lost Kafka for good."""
        try:
            with kafka_errors():
                yield
        except TransientError:
            self._partitions_read_at = -math.inf
            self._replace_if_lost()
            raise

    def _replace_if_lost(self) -> None:
        try:
            self._connection.is_answered()
        except LostConnectionError:
            self._open()

    def _create(self, topics: list[NewTopic]) -> None:
        for name, future in self._client.create_topics(topics, operation_timeout=self._timeout_seconds).items():
            try:
                future.result(self._timeout_seconds)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise TransientError(f"topic {name} cannot be created: {failure_of(error)}") from error

    def _wait_until_visible(self, names: set[str]) -> None:
        """Wait for the topics: Kafka acknowledges one before the broker that is asked next knows it."""
        end = time.monotonic() + self._timeout_seconds
        while unseen := names - self.partitions().keys():
            if time.monotonic() > end:
                raise TransientError(f"created, but not visible yet: {', '.join(sorted(unseen))}")
            time.sleep(_POLL_SECONDS)

    def _settings_of(self, names: list[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        with self._asking():
            answers = self._client.describe_configs(resources) if resources else {}
            return {
                resource.name: {entry.name: entry.value for entry in future.result(self._timeout_seconds).values()}
                for resource, future in answers.items()
            }

    def _offsets(
        self,
        partitions: list[TopicPartition],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
    ) -> dict[tuple[str, int], int]:
        futures = self._client.list_offsets(dict.fromkeys(partitions, spec), isolation_level=isolation)
        return {
            (partition.topic, partition.partition): future.result(self._timeout_seconds).offset
            for partition, future in futures.items()
        }


def open_lag_reader(settings: KafkaSettings) -> LagReader:
    """Return a reader of lag on a real cluster; nothing connects before the first measurement."""
    return LagReader(KafkaAdmin(settings).watched_lags, lambda lag: is_without_records(settings, lag))


def _new_topic(topic: Topic, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=settings.replication,
        config=wanted_settings(topic, settings),
    )

"""Topics as the catalogue wants them, how far the groups have come, and who is in them."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from connectors.kafka.client_config import client_config, consumer_config
from connectors.kafka.errors import failure_of
from connectors.kafka.group_lag import CommittedOffsets, LagReader, PartitionLag, reaches_end
from connectors.kafka.lost_connection import LostConnectionError, is_reachable, watch_connection
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_check import Difference, Found, differences, wanted_settings
from schemas.errors import FatalError, TransientError
from schemas.topics import Topic, catalogue

_TIMEOUT_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.1
# The broker looks for ended sessions now and then, not at once.
_SESSION_MARGIN_SECONDS = 5
# The library's stubs lack them.
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the library's stub lacks it
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as above


@dataclass(frozen=True)
class Span:
    """The offsets of one partition from `first` up to, not including, `end`."""

    topic: str
    partition: int
    first: int
    end: int

    @property
    def length(self) -> int:
        """At least as many as there are records in it."""
        return self.end - self.first

    def without(self, before: int) -> "Span":
        """What is left when everything before that offset is done; all of it where the topic ends before."""
        return replace(self, first=max(self.first, before)) if before <= self.end else self


class KafkaAdmin:
    """Creates and checks topics, reads lag. Every call raises TransientError when Kafka is away."""

    def __init__(self, settings: KafkaSettings, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._open()
        self._lost = watch_connection(settings, self._is_heard)

    def create_topics(self) -> list[str]:
        """Creates what is missing and waits until it can be seen; returns the names it created."""
        there = self.partitions()
        missing = [topic for topic in catalogue(self._settings.plan) if topic.name not in there]
        if missing:
            self._create([_new_topic(topic, self._settings) for topic in missing])
            self._see({topic.name for topic in missing})
        return [topic.name for topic in missing]

    def create_topic(self, topic: Topic) -> None:
        """Creates a topic that is not in the catalogue; one that is there already stays as it is."""
        if topic.name not in self.partitions():
            self._create([_new_topic(topic, self._settings)])

    def check_topics(self) -> list[str]:
        """One line for every topic that lacks or has other partitions: what a process cannot work with."""
        there = self.partitions()
        return [
            f"{topic.name}: {there.get(topic.name, 0)} partitions, the catalogue says {topic.partitions}"
            for topic in catalogue(self._settings.plan)
            if there.get(topic.name) != topic.partitions
        ]

    def compare_topics(self) -> list[Difference]:
        """Every difference between the catalogue and the cluster, each with its cure."""
        wanted, there = catalogue(self._settings.plan), self.partitions()
        known = self._settings_of([topic.name for topic in wanted if topic.name in there])
        found = {name: Found(there[name], values) for name, values in known.items()}
        lists = [differences(topic, found.get(topic.name), self._settings) for topic in wanted]
        return [difference for one in lists for difference in one]

    def partitions(self) -> dict[str, int]:
        """Number of partitions of every topic in the cluster."""
        with self._asking():
            topics = self._client.list_topics(timeout=self._timeout_seconds).topics
        return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}

    def lag(self, group: str, topics: list[str]) -> list[PartitionLag]:
        """Lag of the group on every partition of the topics; uncommitted partitions count from 0."""
        there = self.partitions()
        places = [TopicPartition(topic, number) for topic in topics for number in range(there.get(topic, 0))]
        with self._asking():
            ends = self._offsets(places, _LATEST)
            return [
                PartitionLag(place.topic, place.partition, place.offset, ends[place.topic, place.partition])
                for place in self._committed.read(group, places, self._timeout_seconds)
            ]

    def members(self, group: str) -> int:
        """How many processes are in the group right now; 0 also where there is no such group."""
        with self._asking():
            try:
                found = self._client.describe_consumer_groups([group])[group].result(self._timeout_seconds)
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return 0
                raise
            return len(found.members)

    def wait_until_empty(self, group: str, sleep: Callable[[float], object] = time.sleep) -> None:
        """Returns when nobody is in the group. Raises FatalError when somebody stays.

        Who was killed is in it until the session ends.
        """
        for _ in range(math.ceil(self._settings.session_timeout_ms / 1000) + _SESSION_MARGIN_SECONDS):
            if not self.members(group):
                return
            sleep(1.0)
        raise FatalError(f"{self.members(group)} processes of {group} run; stop the platform here first")

    def move_group(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """The group goes on at these offsets. Raises TransientError while it has members."""
        places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
        request = ConsumerGroupTopicPartitions(group, places)
        with self._asking():
            answer = self._client.alter_consumer_group_offsets([request])[group].result(self._timeout_seconds)
        for place in answer.topic_partitions:
            if place.error:
                raise TransientError(f"group {group} cannot be moved: {failure_of(place.error)}")

    def ends(self, topic: str) -> dict[int, int]:
        """Behind the last record of every partition of the topic."""
        places = [TopicPartition(topic, number) for number in range(self.partitions().get(topic, 0))]
        with self._asking():
            return {partition: end for (_, partition), end in self._offsets(places, _LATEST).items()}

    def spans(self, topics: list[str], since_ms: int | None = None) -> list[Span]:
        """Everything in the topics up to now, or what was stored since then; uncommitted records included."""
        there = self.partitions()
        places = [TopicPartition(topic, number) for topic in topics for number in range(there.get(topic, 0))]
        since = _EARLIEST if since_ms is None else OffsetSpec.for_timestamp(max(since_ms, 0))
        with self._asking():
            # The ends last: an end must not lie before its beginning.
            firsts, ends = self._offsets(places, since), self._offsets(places, _LATEST)
        # -1: nothing is so young.
        return [Span(*place, first if first >= 0 else ends[place], ends[place]) for place, first in firsts.items()]

    def _open(self) -> None:
        self._client = AdminClient(client_config(self._settings))
        self._committed = CommittedOffsets(self._settings)

    def _is_heard(self) -> bool:
        return is_reachable(self._client) and all(map(is_reachable, self._committed.clients))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """The library's errors as ours; clients that are lost for good are replaced after them."""
        try:
            with _kafka_errors():
                yield
        except TransientError:
            self._replace_if_lost()
            raise

    def _replace_if_lost(self) -> None:
        try:
            self._lost.is_heard()
        except LostConnectionError:
            self._open()

    def _create(self, topics: list[NewTopic]) -> None:
        for name, future in self._client.create_topics(topics, operation_timeout=self._timeout_seconds).items():
            try:
                future.result(self._timeout_seconds)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise TransientError(f"topic {name} cannot be created: {failure_of(error)}") from error

    def _see(self, names: set[str]) -> None:
        """Kafka acknowledges a topic before the broker that is asked next knows it."""
        end = time.monotonic() + self._timeout_seconds
        while unseen := names - self.partitions().keys():
            if time.monotonic() > end:
                raise TransientError(f"created, but not to be seen yet: {', '.join(sorted(unseen))}")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _settings_of(self, names: list[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        with self._asking():
            answers = self._client.describe_configs(resources) if resources else {}
            return {
                resource.name: {entry.name: entry.value for entry in future.result(self._timeout_seconds).values()}
                for resource, future in answers.items()
            }

    def _offsets(self, places: list[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
        futures = self._client.list_offsets(dict.fromkeys(places, spec))
        return {
            (place.topic, place.partition): future.result(self._timeout_seconds).offset
            for place, future in futures.items()
        }


@contextmanager
def _kafka_errors() -> Iterator[None]:
    """The client's errors, and a future that got no answer, as ours."""
    try:
        yield
    except KafkaException as error:
        raise failure_of(error) from error
    except TimeoutError as error:  # the client's own patience is longer than ours
        raise TransientError("Kafka did not answer in time") from error


def _new_topic(topic: Topic, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=settings.replication,
        config=wanted_settings(topic, settings),
    )


def open_lag_reader(settings: KafkaSettings) -> LagReader:
    """On a real cluster. Nothing connects before the first measurement."""
    config = consumer_config(settings, "dragoman.backlog", "backlog") | {"enable.partition.eof": True}
    return LagReader(KafkaAdmin(settings).lag, lambda lag: reaches_end(config, lag))

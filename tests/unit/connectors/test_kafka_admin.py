"""What the admin client makes of a Kafka that is away, and of one that is not up to date yet."""

import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError, TransientError


class SilentClient:
    """A broker that was just killed: metadata are known, no answer comes."""

    def list_topics(self, topic: str | None = None, *, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(topics={"t": SimpleNamespace(partitions={0: None}, error=None)})

    def list_offsets(
        self, partitions: dict[object, object], *, isolation_level: object
    ) -> dict[object, Future[object]]:
        return {partition: Future() for partition in partitions}


def admin_with(client: Any, timeout_seconds: float = 20.0) -> KafkaAdmin:
    admin = KafkaAdmin(KafkaSettings(), timeout_seconds)
    admin._client = client
    return admin


def test_a_lag_that_nobody_tells_is_a_transient_failure_and_no_crash():
    admin = admin_with(SilentClient(), timeout_seconds=0.01)
    with pytest.raises(TransientError, match="did not answer in time"):
        admin.lag("intake", ["t"])


class SlowToSee:
    """Acknowledges new topics at once and shows them some looks later."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.created: list[str] = []

    def create_topics(self, topics: list[Any], operation_timeout: float) -> dict[str, Future[None]]:
        self.created = [topic.topic for topic in topics]
        done: Future[None] = Future()
        done.set_result(None)
        return dict.fromkeys(self.created, done)

    def list_topics(self, topic: str | None = None, *, timeout: float) -> SimpleNamespace:
        self.looks -= bool(self.created)
        seen = self.created if self.looks < 0 else []
        return SimpleNamespace(topics={name: SimpleNamespace(partitions={0: None}, error=None) for name in seen})


def test_creating_topics_returns_when_they_can_be_seen():
    slow = SlowToSee(looks=2)
    admin = admin_with(slow)
    assert admin.create_topics() == slow.created
    assert admin.partitions().keys() == set(slow.created)


def test_topics_that_are_never_seen_are_a_transient_failure_that_names_them():
    admin = admin_with(SlowToSee(looks=1_000), timeout_seconds=0.01)
    with pytest.raises(TransientError, match=r"not visible yet: .*translation\.results"):
        admin.create_topics()


class LeavingMembers(KafkaAdmin):
    """A group whose sessions end one after the other."""

    def __init__(self, counts):
        super().__init__(KafkaSettings(session_timeout_ms=10_000))
        self.counts = iter(counts)

    def members(self, group):
        return next(self.counts)


def test_a_member_that_stopped_without_leaving_is_waited_for():
    pauses: list[float] = []
    LeavingMembers([2, 2, 1, 0]).wait_until_empty("usage_sink", pauses.append)
    assert pauses == [1.0] * 3


def test_a_member_that_outlives_its_session_is_alive_and_must_be_stopped():
    pauses: list[float] = []
    with pytest.raises(FatalError, match="1 processes of intake run; stop the platform here first"):
        LeavingMembers([1] * 99).wait_until_empty("intake", pauses.append)
    assert sum(pauses) == 15


class CountingClient(SilentClient):
    """Tells the end of every partition, and counts who asks for its topics."""

    def __init__(self) -> None:
        self.looks, self.is_away = 0, False
        self.topics = {"t": 1}

    def list_topics(self, topic: str | None = None, *, timeout: float) -> SimpleNamespace:
        self.looks += 1
        found = {
            name: SimpleNamespace(partitions=dict.fromkeys(range(number)), error=None)
            for name, number in self.topics.items()
        }
        return SimpleNamespace(topics=found)

    def list_offsets(
        self, partitions: dict[object, object], *, isolation_level: object
    ) -> dict[object, Future[object]]:
        told: Future[object] = Future()
        if self.is_away:
            told.set_exception(KafkaException(KafkaError(KafkaError._TRANSPORT)))
        else:
            told.set_result(SimpleNamespace(offset=7))
        return dict.fromkeys(partitions, told)


def test_who_measures_again_and_again_asks_for_the_partitions_once():
    client = CountingClient()
    admin = admin_with(client)
    assert [admin.ends("t") for _ in range(5)] == [{0: 7}] * 5
    assert client.looks == 1


def test_new_partitions_are_seen_ten_seconds_later(monkeypatch):
    client = CountingClient()
    admin = admin_with(client)
    admin.ends("t")
    client.topics["t"] = 2
    assert admin.ends("t") == {0: 7}
    later = time.monotonic() + 10
    monkeypatch.setattr("connectors.kafka.admin.time.monotonic", lambda: later)
    assert admin.ends("t") == {0: 7, 1: 7}


def test_a_topic_that_is_not_known_yet_is_asked_for_each_time():
    client = CountingClient()
    admin = admin_with(client)
    assert admin.ends("new") == {}
    client.topics["new"] = 1
    assert admin.ends("new") == {0: 7}


def test_what_was_known_before_a_failure_is_asked_for_anew():
    client = CountingClient()
    admin = admin_with(client)
    admin.ends("t")
    client.is_away = True
    with pytest.raises(TransientError):
        admin.ends("t")
    client.is_away, client.topics["t"] = False, 2
    assert admin.ends("t") == {0: 7, 1: 7}


class CountingOffsets:
    """Tells for every group that it has read up to offset 7, and counts the questions."""

    def __init__(self) -> None:
        self.questions = 0

    def read(self, group: str, partitions: list[TopicPartition], timeout_seconds: float) -> list[TopicPartition]:
        self.questions += 1
        return [TopicPartition(one.topic, one.partition, 7) for one in partitions]


def test_who_watches_groups_at_rest_asks_for_their_offsets_once_and_others_every_time():
    admin, offsets = admin_with(CountingClient()), CountingOffsets()
    admin._committed = offsets  # type: ignore[assignment]  # counts instead of asking
    assert [admin.watched_lags({"g": ["t"]})["g"][0].records for _ in range(3)] == [0] * 3
    assert offsets.questions == 1
    admin.lag("g", ["t"])
    admin.lag("g", ["t"])
    assert offsets.questions == 3

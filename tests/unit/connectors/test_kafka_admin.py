"""What the admin client makes of a Kafka that is away, and of one that is not up to date yet."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError, TransientError


class SilentClient:
    """A broker that was just killed: metadata are known, no answer comes."""

    def list_topics(self, timeout: float) -> SimpleNamespace:
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

    def list_topics(self, timeout: float) -> SimpleNamespace:
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

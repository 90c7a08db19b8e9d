"""The real Kafka and the real Valkeys, started and stopped as a user does."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import redis
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.local.main import down, read_run, up
from deploy.local.root_lock import leftovers
from deploy.local.settings import StackSettings
from deploy.local.state_files import RunInfo

pytestmark = pytest.mark.real
T = TypeVar("T")
JARS = Path(__file__).parents[2] / ".dragoman" / "kafka" / "libs"


def start(root: Path) -> RunInfo:
    settings = StackSettings(root=root, stores_only=True, kafka_libraries=JARS)
    up(settings, detach=True, on_progress=lambda *_: None)
    return read_run(root)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    down(tmp_path)
    assert leftovers(tmp_path) == []


def cluster(run: RunInfo) -> tuple[str, set[str]]:
    metadata = AdminClient({"bootstrap.servers": run.kafka_bootstrap}).list_topics(timeout=10)
    return str(metadata.cluster_id), set(metadata.topics)


def test_topics_state_and_addresses_outlive_a_restart(root: Path) -> None:
    before = start(root)
    admin = AdminClient({"bootstrap.servers": before.kafka_bootstrap})
    admin.create_topics([NewTopic("translation.results", 3, 1)])["translation.results"].result(timeout=10)
    with (
        redis.Redis.from_url(before.redis_state_url) as state,
        redis.Redis.from_url(before.redis_cache_url) as cache,
    ):
        state.set("kept", "yes")
        cache.set("kept", "no")
    cluster_before = cluster(before)
    assert set(down(root)) == {"kafka", "redis-cache", "redis-state"}

    after = start(root)

    assert cluster(after) == cluster_before
    assert "translation.results" in cluster_before[1]
    assert after.kafka_bootstrap == before.kafka_bootstrap
    with (
        redis.Redis.from_url(after.redis_state_url) as state,
        redis.Redis.from_url(after.redis_cache_url) as cache,
    ):
        assert state.get("kept") == b"yes"
        assert cache.get("kept") is None


def test_a_killed_broker_and_a_killed_state_come_back_with_what_was_acknowledged(root: Path) -> None:
    run = start(root)
    admin = AdminClient({"bootstrap.servers": run.kafka_bootstrap, "log_level": 0})
    admin.create_topics([NewTopic("translation.usage", 1, 1)])["translation.usage"].result(timeout=10)
    with redis.Redis.from_url(run.redis_state_url) as state:
        state.set("kept", "yes")
    for name in ("kafka", "redis-state"):
        os.kill(run.processes[name], signal.SIGKILL)

    assert "translation.usage" in until_answered(lambda: cluster(read_run(root))[1])
    with redis.Redis.from_url(run.redis_state_url) as state:
        assert until_answered(lambda: state.get("kept")) == b"yes"
    assert read_run(root).processes["kafka"] != run.processes["kafka"]


def until_answered(ask: Callable[[], T]) -> T:
    end = time.monotonic() + 20
    while True:
        try:
            return ask()
        except Exception:  # of two clients, each with a tree of its own
            if time.monotonic() > end:
                raise
            time.sleep(0.1)

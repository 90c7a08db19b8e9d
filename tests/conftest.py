"""Fixtures for real servers, and the distribution of test files over processes.

The servers are given by the environment, run in Docker, or are the local stack. A missing service skips a test on
a laptop and fails it where CI=true.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import redis
from hypothesis import settings

from tests.fleet import Fleet
from tests.scheduling import FileScheduling, in_order
from tests.servers import open_servers, wait_for_coordinators
from tests.valkey import running_valkey

# A busy machine is no failure; what hangs meets the timeout of its test.
settings.register_profile("dragoman", deadline=None)
settings.load_profile("dragoman")

pytest_plugins = ["tests.stack"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the stack together."""
    items[:] = in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling:
    """Distribute by file, in the order of collection."""
    return FileScheduling(config, log)


def missing(what: str) -> NoReturn:
    """Skip, or fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI nothing may be", pytrace=False)
    pytest.skip(f"needs {what}")


@pytest.fixture
def needed() -> Callable[[Any, str], None]:
    """`needed(thing, name)` continues only if the thing is there."""

    def check(thing: Any, name: str) -> None:
        if not thing:
            missing(name)

    return check


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Kafka and two Valkeys, for all tests of this process."""
    with open_servers(tmp_path_factory.mktemp("servers")) as found:
        if found is None:
            missing("Kafka and Valkey (see deploy/local)")
        wait_for_coordinators(found.kafka_bootstrap)
        yield found


@pytest.fixture(scope="module")
def valkey() -> Iterator[redis.Redis]:
    """Return a client of an empty Valkey that nobody else uses."""
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture(scope="session")
def kafka_bootstrap(servers: Any) -> str:
    """Return host:port of a real broker."""
    return str(servers.kafka_bootstrap)


@pytest.fixture(scope="session")
def redis_state_url(servers: Any) -> str:
    """Return the URL of a real Valkey or Redis that keeps everything."""
    return str(servers.redis_state_url)


@pytest.fixture(scope="session")
def redis_cache_url(servers: Any) -> str:
    """Return the URL of a real Valkey or Redis that may evict."""
    return str(servers.redis_cache_url)


@pytest.fixture
def fleet(servers: Any, tmp_path: Path) -> Iterator[Fleet]:
    """Processes of ours that the test starts on the servers."""
    fleet = Fleet(servers, tmp_path)
    yield fleet
    fleet.close()

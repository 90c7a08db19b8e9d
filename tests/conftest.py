"""Where tests find real servers: given by environment, else Docker, else the local stack.

A missing service skips a test on a laptop and fails it where CI=true.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet
from tests.servers import open_servers

pytest_plugins = ["tests.stack"]


def missing(what: str) -> None:
    """Skip, or fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI nothing may be", pytrace=False)
    pytest.skip(f"needs {what}")


@pytest.fixture
def needed() -> Callable[[Any, str], None]:
    """`needed(thing, name)`: goes on only if the thing is there."""
    return lambda thing, name: None if thing else missing(name)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Kafka and two Valkeys for the whole session."""
    with open_servers(tmp_path_factory.mktemp("servers")) as found:
        if found is None:
            missing("Kafka and Valkey (see deploy/local)")
        yield found


@pytest.fixture(scope="session")
def kafka_bootstrap(servers: Any) -> str:
    """host:port of a real broker."""
    return str(servers.kafka_bootstrap)


@pytest.fixture(scope="session")
def redis_state_url(servers: Any) -> str:
    """A real Valkey or Redis that keeps everything."""
    return str(servers.redis_state_url)


@pytest.fixture(scope="session")
def redis_cache_url(servers: Any) -> str:
    """A real Valkey or Redis that may evict."""
    return str(servers.redis_cache_url)


@pytest.fixture
def fleet(servers: Any, tmp_path: Path) -> Iterator[Fleet]:
    """Processes of ours that the test starts, on the session's servers."""
    fleet = Fleet(servers, tmp_path)
    yield fleet
    fleet.close()

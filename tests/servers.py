"""Provide real servers for integration tests: given ones, containers, or the processes of the local stack."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from schemas.errors import TransientError

CHECKOUT = Path(__file__).parent.parent
# Shared by all runs, so that Kafka's jars are fetched once (by `make setup`).
LIBRARIES = CHECKOUT / ".dragoman" / "kafka" / "libs"
_COORDINATOR_SECONDS = 30.0


@dataclass(frozen=True)
class Servers:
    """Addresses of the servers."""

    kafka_bootstrap: str
    redis_cache_url: str
    redis_state_url: str
    # Root of the local stack if they are its processes.
    root: Path | None = None


@contextmanager
def open_servers(root: Path) -> Iterator[Servers | None]:
    """Open the first of the three that is available; None when none is. They are closed with the context."""
    with ExitStack() as stack:
        if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            yield _given()
        elif _docker_answers():
            yield stack.enter_context(_containers())
        elif shutil.which("java") and shutil.which("mvn"):
            yield stack.enter_context(_processes(root))
        else:
            yield None


def wait_for_coordinators(bootstrap: str) -> None:
    """Create the topics, and wait until a broker that has just started can tell what groups have committed."""
    admin = KafkaAdmin(KafkaSettings(bootstrap=bootstrap))
    end = time.monotonic() + _COORDINATOR_SECONDS
    while True:
        try:
            admin.create_topics()
            admin.lag("tests", list(admin.partitions()))
            return
        except TransientError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _given() -> Servers:
    cache = os.environ.get("REDIS_CACHE_URL", "redis://127.0.0.1:6379/0")
    return Servers(os.environ["KAFKA_BOOTSTRAP_SERVERS"], cache, os.environ.get("REDIS_STATE_URL", cache))


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0


@contextmanager
def _containers() -> Iterator[Servers]:
    from testcontainers.kafka import KafkaContainer
    from testcontainers.redis import RedisContainer

    with (
        KafkaContainer().with_kraft() as kafka,
        RedisContainer("valkey/valkey:9-bookworm") as cache,
        RedisContainer("valkey/valkey:9-bookworm") as state,
    ):
        yield Servers(kafka.get_bootstrap_server(), _url_of(cache), _url_of(state))


def _url_of(redis: Any) -> str:
    return f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(6379)}/0"


@contextmanager
def _processes(root: Path) -> Iterator[Servers]:
    settings = StackSettings(root=root, stores_only=True, kafka_libraries=LIBRARIES)
    up(settings, detach=True, on_progress=lambda name, state: None)
    try:
        run = read_run(root)
        yield Servers(run.kafka_bootstrap, run.redis_cache_url, run.redis_state_url, root)
    finally:
        down(root)

"""Look at the servers, the files and the models of an installation. Changes nothing.

Every function raises a DragomanError where it cannot look.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.broker_facts import allowed_operations
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_check import Difference
from connectors.redis.client import Client, redis_errors
from deploy.doctor.facts import Clock, Folder, ModelFolder, RedisServer, SecretFile, TopicPermissions
from inference_workers.model_store import ModelInfo, discover, verify
from schemas.errors import FatalError
from schemas.topics import catalogue

_MEGABYTE = 1_000_000
_LIBRARY_OF = {"bergamot": "fxtranslate"}


@dataclass(frozen=True)
class Kafka:
    """The cluster, as the processes reach it."""

    settings: KafkaSettings
    timeout_seconds: float

    def topics(self) -> list[Difference]:
        """Return every difference from the catalogue."""
        return KafkaAdmin(self.settings, self.timeout_seconds).compare_topics()

    def permissions(self) -> list[TopicPermissions]:
        """Return what this user may do with each topic of the catalogue that exists."""
        names = [topic.name for topic in catalogue(self.settings.plan)]
        found = allowed_operations(self.settings, names, self.timeout_seconds)
        return [TopicPermissions(topic, operations) for topic, operations in found.items()]


def redis_server(client: Client) -> RedisServer:
    """Return what the server tells with INFO, which managed Redis allows."""
    with redis_errors():
        found: dict[str, Any] = {}
        for section in ("server", "memory", "stats", "persistence"):
            found |= client.info(section)
    return RedisServer(
        version=str(found.get("valkey_version") or found.get("redis_version", "")),
        policy=str(found.get("maxmemory_policy", "")),
        used_bytes=int(found.get("used_memory", 0)),
        max_bytes=int(found.get("maxmemory", 0)),
        evicted_keys=int(found.get("evicted_keys", 0)),
        is_cluster=found.get("redis_mode") == "cluster",
        is_on_disk=bool(int(found.get("aof_enabled", 0))),
        last_write_failed="err" in (found.get("aof_last_write_status"), found.get("rdb_last_bgsave_status")),
    )


def redis_clock(name: str, client: Client) -> Clock:
    """Compare the clock of a Redis with ours."""

    def seconds() -> float:
        with redis_errors():
            whole, micro = client.time()
        return float(whole) + float(micro) / 1e6

    return clock(name, seconds)


def clickhouse_clock(client: AnalyticsClient) -> Clock:
    """Compare the clock of ClickHouse with ours."""
    sql = "SELECT toUnixTimestamp64Milli(now64(3)) / 1000 AS at"
    return clock("ClickHouse", lambda: float(client.query(sql)[0]["at"]))


def clock(name: str, seconds: Callable[[], float], here: Callable[[], float] = time.time) -> Clock:
    """Compare a clock with the one here: theirs against the middle of the round trip."""
    before = here()
    theirs = seconds()
    after = here()
    return Clock(name, theirs - (before + after) / 2, after - before)


def secret_files(paths: Sequence[Path]) -> list[SecretFile]:
    """Return the permissions of those that exist."""
    return [SecretFile(path, path.stat().st_mode & 0o777) for path in paths if path.is_file()]


def folders(paths: Sequence[Path]) -> list[Folder]:
    """Return space and permission of each folder; of the nearest one above it where it does not exist yet."""
    found = dict.fromkeys(_existing(path.absolute()) for path in paths)
    return [
        Folder(path, shutil.disk_usage(path).free // _MEGABYTE, os.access(path, os.W_OK | os.X_OK))
        for path in found
    ]


def models(paths: Sequence[Path]) -> list[ModelFolder]:
    """Return every model in the folders and the bundled ones, each compared with its checksums."""
    return [
        ModelFolder(
            one.path, one.engine, find_spec(_LIBRARY_OF.get(one.engine, one.engine)) is not None, _fault(one)
        )
        for one in discover(paths)
    ]


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())


def _fault(model: ModelInfo) -> str:
    try:
        verify(model)
    except (FatalError, OSError) as error:
        return str(error)
    return ""

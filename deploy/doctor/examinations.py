"""List the checks of the doctor: where each looks and what judges it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.broker_facts import broker_version
from connectors.kafka.schema_registry import compare_subjects
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import open_cache, open_state
from connectors.redis.settings import RedisSettings
from deploy.doctor import checks, looking, versions
from deploy.doctor.facts import Clock, RedisServer, ServerVersion
from deploy.doctor.finding import Examination
from deploy.doctor.settings import DoctorSettings
from deploy.local.first_key import credentials_path
from deploy.local.state_files import analytics_token_path, token_secrets_path, webhook_secrets_path
from inference_workers.settings import WorkerLimits

_NAMED = "see that {} names one that runs"
_KAFKA = _NAMED.format("DRAGOMAN_KAFKA_BOOTSTRAP")
_REDIS = _NAMED.format("DRAGOMAN_REDIS_STATE_URL, and _CACHE_URL,")
_CLICKHOUSE = _NAMED.format("DRAGOMAN_ANALYTICS_URL")
_REGISTRY = _NAMED.format("DRAGOMAN_KAFKA_SCHEMA_REGISTRY_URL")


@dataclass(frozen=True)
class Places:
    """How to reach the parts. Each is called when it is looked at; raises a DragomanError where none is named."""

    kafka: Callable[[], KafkaSettings]
    redis: Callable[[], RedisSettings]
    clickhouse: Callable[[], AnalyticsClient]
    root: Path


def examinations(places: Places, limits: DoctorSettings) -> list[Examination[Any]]:
    """Return all checks but the one of the configuration, without which none of these can be built."""
    return [*_of_kafka(places, limits), *_of_stores(places, limits), *_of_this_machine(places.root, limits)]


def _of_kafka(places: Places, limits: DoctorSettings) -> list[Examination[Any]]:
    def cluster() -> looking.Kafka:
        return looking.Kafka(places.kafka(), limits.timeout_seconds)

    def version() -> list[ServerVersion]:
        found = broker_version(places.kafka(), limits.timeout_seconds)
        return [versions.of_server("Kafka", ".".join(map(str, found)), versions.OLDEST_KAFKA)]

    return [
        Examination("topics", lambda: cluster().topics(), checks.check_topics, _KAFKA),
        Examination("permissions", lambda: cluster().permissions(), checks.check_permissions, _KAFKA),
        Examination("version of Kafka", version, checks.check_versions, _KAFKA),
        Examination("schema registry", lambda: compare_subjects(places.kafka()), checks.check_topics, _REGISTRY),
    ]


def _of_stores(places: Places, limits: DoctorSettings) -> list[Examination[Any]]:
    state_check = partial(checks.check_state, limits=limits)
    clock_check = partial(checks.check_clocks, limits=limits)

    def cache() -> RedisServer:
        with open_cache(places.redis()) as client:
            return looking.redis_server(client)

    def state() -> RedisServer:
        with open_state(places.redis()) as client:
            return looking.redis_server(client)

    def redis_versions() -> list[ServerVersion]:
        found = {"the cache Redis": cache().version, "the state Redis": state().version}
        return [versions.of_server(name, one, versions.OLDEST_REDIS) for name, one in found.items()]

    def redis_clocks() -> list[Clock]:
        with open_cache(places.redis()) as cache_client, open_state(places.redis()) as state_client:
            clients = {"the cache Redis": cache_client, "the state Redis": state_client}
            return [looking.redis_clock(name, client) for name, client in clients.items()]

    def clickhouse_version() -> list[ServerVersion]:
        found = str(places.clickhouse().query("SELECT version() AS version")[0]["version"])
        return [versions.of_server("ClickHouse", found, versions.OLDEST_CLICKHOUSE)]

    def clickhouse_clock() -> list[Clock]:
        return [looking.clickhouse_clock(places.clickhouse())]

    return [
        Examination("cache", cache, checks.check_cache, _REDIS),
        Examination("state", state, state_check, _REDIS),
        Examination("versions of Redis", redis_versions, checks.check_versions, _REDIS),
        Examination("clocks of Redis", redis_clocks, clock_check, _REDIS),
        Examination("version of ClickHouse", clickhouse_version, checks.check_versions, _CLICKHOUSE),
        Examination("clock of ClickHouse", clickhouse_clock, clock_check, _CLICKHOUSE),
    ]


def _of_this_machine(root: Path, limits: DoctorSettings) -> list[Examination[Any]]:
    worker, data = WorkerLimits(), root / "data"
    of_data = (analytics_token_path, token_secrets_path, webhook_secrets_path)
    secrets = [*(path(data) for path in of_data), credentials_path(root)]
    disk_check = partial(checks.check_disk, limits=limits)
    # The stack of one machine names the journal itself.
    journal = [worker.journal_path] if "journal_path" in worker.model_fields_set else []
    as_user = "run it as the user of the platform"
    return [
        Examination("packages", versions.of_packages, checks.check_versions, "install them: make setup"),
        Examination("secrets", lambda: looking.secret_files(secrets), checks.check_secret_files, as_user),
        Examination("disk", lambda: looking.folders([data, *journal]), disk_check, as_user),
        Examination("models", lambda: looking.models(worker.model_paths), checks.check_models, as_user),
    ]

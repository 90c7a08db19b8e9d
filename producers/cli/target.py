"""Finds the platform that a command talks to: the one it is told, else the local one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from deploy.local.errors import StackError
from deploy.local.main import is_running, read_run
from deploy.local.settings import StackSettings
from deploy.local.state_files import RunInfo
from producers.cli.errors import NotRunningError
from stream_apps.usage_sink.settings import AnalyticsSection

Root = Annotated[
    Path | None, typer.Option(help="Where the local platform keeps its data (DRAGOMAN_LOCAL_ROOT, .dragoman).")
]


def root_of(root: Path | None) -> Path:
    """The folder of the local platform."""
    return root or StackSettings().root


def running(root: Path | None = None) -> RunInfo:
    """The addresses of the local platform. Raises NotRunningError."""
    try:
        return read_run(root_of(root))
    except StackError as error:
        raise NotRunningError(str(error)) from None


def http_url(url: str | None) -> str:
    """Where the HTTP interface is."""
    return url or running().http_url


def kafka_settings() -> KafkaSettings:
    """DRAGOMAN_KAFKA_* where the bootstrap address is given there, else that of the local platform."""
    settings = KafkaSettings()
    if "bootstrap" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"bootstrap": running().kafka_bootstrap})


def redis_settings() -> RedisSettings:
    """As `kafka_settings`, of DRAGOMAN_REDIS_*: the state's address decides."""
    settings = RedisSettings()
    if "state_url" in settings.model_fields_set:
        return settings
    run = running()
    return settings.model_copy(update={"cache_url": run.redis_cache_url, "state_url": run.redis_state_url})


def object_settings() -> ObjectSettings:
    """As `kafka_settings`, of DRAGOMAN_OBJECTS_*."""
    settings = ObjectSettings()
    if "url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"url": (root_of(None) / "data" / "objects").as_uri()})


def analytics_settings() -> AnalyticsSection:
    """As `kafka_settings`, of DRAGOMAN_ANALYTICS_*: `url` for who asks, `dsn` for who opens the database."""
    settings = AnalyticsSection()
    local: dict[str, Any] = {}
    if "dsn" not in settings.model_fields_set:
        local["dsn"] = SecretStr(f"chdb://{root_of(None) / 'data' / 'analytics'}")
    if "url" not in settings.model_fields_set and is_running(root_of(None)):
        local["url"] = running().analytics_url
    return settings.model_copy(update=local)

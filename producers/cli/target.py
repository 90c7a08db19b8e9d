"""Find the platform that a command talks to: the one that the environment names, else the local one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from connectors.clickhouse.client import AnalyticsClient
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
    """Return the folder of the local platform."""
    return root or StackSettings().root


def running(root: Path | None = None) -> RunInfo:
    """Return the addresses of the local platform. Raises NotRunningError."""
    try:
        return read_run(root_of(root))
    except StackError as error:
        raise NotRunningError(str(error)) from None


def http_url(url: str | None) -> str:
    """Return the address of the HTTP interface. Raises NotRunningError."""
    return url or running().http_url


def kafka_settings() -> KafkaSettings:
    """Return DRAGOMAN_KAFKA_*; the local platform's Kafka where no bootstrap address is set."""
    settings = KafkaSettings()
    if "bootstrap" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"bootstrap": running().kafka_bootstrap})


def redis_settings() -> RedisSettings:
    """Return DRAGOMAN_REDIS_*; the local platform's Valkeys where the state's address is not set."""
    settings = RedisSettings()
    if "state_url" in settings.model_fields_set:
        return settings
    run = running()
    return settings.model_copy(update={"cache_url": run.redis_cache_url, "state_url": run.redis_state_url})


def object_settings() -> ObjectSettings:
    """Return DRAGOMAN_OBJECTS_*; the local platform's folder where no URL is set."""
    settings = ObjectSettings()
    if "url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"url": (root_of(None) / "data" / "objects").as_uri()})


def analytics_settings() -> AnalyticsSection:
    """Return DRAGOMAN_ANALYTICS_*, completed with the local platform's database, address and token.

    `url` and `token` are for queries, `dsn` for opening the database itself.
    """
    settings = AnalyticsSection()
    local: dict[str, Any] = {}
    if "dsn" not in settings.model_fields_set:
        local["dsn"] = SecretStr(f"chdb://{root_of(None) / 'data' / 'analytics'}")
    # The local token is for the local platform only.
    if not settings.url and is_running(root_of(None)):
        run = running()
        local |= {"url": run.analytics_url, "token": SecretStr(settings.read_token() or run.analytics_token())}
    return settings.model_copy(update=local)


def analytics_client(url: str | None) -> AnalyticsClient:
    """Return a client of that address, else of DRAGOMAN_ANALYTICS_URL or the local platform.

    Raises NotRunningError where there is neither.
    """
    settings = AnalyticsSection() if url else analytics_settings()
    return AnalyticsClient(url or settings.url or running().analytics_url, settings.read_token())

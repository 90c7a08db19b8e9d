"""Find the platform that a command talks to: the one that the environment names, else the local one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import Section
from deploy.local.errors import StackError
from deploy.local.first_key import read_key
from deploy.local.main import is_running, read_run
from deploy.local.settings import StackSettings
from deploy.local.state_files import RunInfo
from producers.cli.api import Api
from producers.cli.arguments import parse_key, parse_url
from producers.cli.errors import NotRunningError
from stream_apps.usage_sink.settings import AnalyticsSection

Root = Annotated[
    Path | None, typer.Option(help="Where the local platform keeps its data (DRAGOMAN_LOCAL_ROOT, .dragoman).")
]


class ApiSettings(Section):
    """DRAGOMAN_API_*: the platform that commands talk to by HTTP, where it is not the local one."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_API_", frozen=True, extra="forbid")

    url: str = Field(default="", description="Address of its HTTP interface; empty: the local platform's.")
    key: SecretStr = Field(
        default=SecretStr(""),
        description="The API key; empty: the one that `dragoman up` made, for the local one.",
    )


def root_of(root: Path | None) -> Path:
    """Return the folder of the local platform."""
    return root or StackSettings().root


def running(root: Path | None = None) -> RunInfo:
    """Return the addresses of the local platform. Raises NotRunningError."""
    try:
        return read_run(root_of(root))
    except StackError as error:
        raise NotRunningError(str(error)) from None


def open_api(url: str | None, tenant: str | None = None) -> Api:
    """Open the HTTP interface at that address, else at DRAGOMAN_API_URL, else the local platform's.

    It shows DRAGOMAN_API_KEY, else the key that `dragoman up` made, which only the local platform gets to see.
    Raises NotRunningError.
    """
    settings = ApiSettings()
    address = parse_url(url, "--url") if url else settings.url and parse_url(settings.url, "DRAGOMAN_API_URL")
    key = parse_key(settings.key.get_secret_value(), "DRAGOMAN_API_KEY")
    if is_running(root_of(None)) and address in ("", running().http_url):
        return Api(running().http_url, key or local_key(), tenant)
    return Api(address or running().http_url, key, tenant)


def local_key(root: Path | None = None) -> str:
    """Return the key that `dragoman up` made. Raises NotRunningError where there is none."""
    try:
        return read_key(root_of(root))
    except StackError as error:
        raise NotRunningError(str(error), "start the platform anew: dragoman up") from None


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
    if settings.url:
        parse_url(settings.url, "DRAGOMAN_ANALYTICS_URL")
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
    token = parse_key(settings.read_token(), "DRAGOMAN_ANALYTICS_TOKEN")
    address = parse_url(url, "--url (DRAGOMAN_ANALYTICS_URL)") if url else settings.url
    return AnalyticsClient(address or running().analytics_url, token)

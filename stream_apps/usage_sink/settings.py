"""The settings of the analytics process: where ClickHouse is, how usage is written, what a device costs."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from schemas.errors import FatalError
from stream_apps.accounts.budgets import BudgetSettings
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.runtime.dead_letters import DeadLetterSettings
from stream_apps.usage_sink.prices import EXAMPLE_PRICES, EXAMPLE_VOLUME_PRICES, EXAMPLE_WORD_PRICES

_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class QueryLimits:
    """The most that one query may take, and how many may wait for how long."""

    seconds: int
    rows: int
    megabytes: int = 1000
    threads: int = 1
    queued: int = 32
    wait_seconds: float = 30.0

    @property
    def settings(self) -> dict[str, int]:
        """Return them as ClickHouse's settings, and ask for plain numbers in JSON."""
        return {
            "max_execution_time": self.seconds,
            "max_result_rows": self.rows,
            "max_memory_usage": self.megabytes * 1_000_000,
            "max_threads": self.threads,
            "output_format_json_quote_64bit_integers": 0,
        }


class AnalyticsSection(Section):
    """DRAGOMAN_ANALYTICS_*: the database, the query interface, the inserts and the prices."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_ANALYTICS_", frozen=True, extra="forbid")

    dsn: SecretStr = Field(
        default=SecretStr("chdb://.dragoman/data/analytics"),
        description="chdb:///path (embedded, one process) or http(s)://user:password@host:8123/database.",
    )
    url: str = Field(default="", description="Address of the query interface, for the command line.")
    host: str = Field(
        default="127.0.0.1",
        description="Address on which the query interface listens; one that others reach needs a token.",
    )
    port: int = Field(default=0, ge=0, le=65535, description="Port of the query interface; 0 takes any free port.")
    token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token of every query, 16 characters at least; without one no query is answered.",
    )
    token_file: str = Field(default="", description="File that holds the token, as secrets are mounted.")
    batch_rows: int = Field(default=20_000, ge=1, description="Most rows of one insert.")
    buffered_rows: int = Field(
        default=40_000,
        ge=1,
        description="Most rows of all partitions that wait for an insert; beyond it they are inserted at once.",
    )
    batch_seconds: float = Field(
        default=1.5,
        ge=0,
        description="How long a row waits for others to be inserted with it; an insert costs 30 ms of processor "
        "time, however few rows it has.",
    )
    record_seconds: float = Field(
        default=1.5,
        ge=0,
        description="The same for rows of requests, dead letters, orders, workers and scaling decisions.",
    )
    reconcile_hours: float = Field(
        default=24.0,
        ge=0,
        description="How often the books are compared with the results topic; hourly while they differ; 0: never.",
    )
    fetch_min_bytes: int = Field(
        default=262_144,
        ge=1,
        description="A broker holds its answer for as many bytes, or for DRAGOMAN_KAFKA_FETCH_WAIT_MS; 1: for the "
        "next record.",
    )
    insert_retry_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How long an insert is tried again before the sink leaves its group and joins again. "
        "Must be below DRAGOMAN_KAFKA_MAX_POLL_INTERVAL_MS.",
    )
    max_query_seconds: int = Field(default=30, ge=1, description="Longest time of one query.")
    max_query_megabytes: int = Field(default=1000, ge=1, description="Most memory of one query.")
    max_query_threads: int = Field(default=1, ge=1, description="Most processors that work on one query.")
    max_queries: int = Field(
        default=2, ge=1, description="Queries that run at the same time; others wait in a queue."
    )
    queued_queries: int = Field(
        default=32, ge=0, description="Most queries that wait; further ones get 503 with Retry-After."
    )
    query_wait_seconds: float = Field(default=30.0, gt=0, description="Longest time of a query in the queue.")
    max_result_rows: int = Field(default=100_000, ge=1, description="Most rows of an answer.")
    prices: dict[str, float] = Field(
        default_factory=lambda: dict(EXAMPLE_PRICES), description="device/market -> US dollars per hour."
    )
    word_prices: dict[str, float] = Field(
        default_factory=lambda: dict(EXAMPLE_WORD_PRICES),
        description="What tenants pay: priority or tenant/priority -> US dollars per million source words.",
    )
    volume_prices: dict[int, float] = Field(
        default_factory=lambda: dict(EXAMPLE_VOLUME_PRICES),
        description="For `dragoman cost estimate`: most words a day -> US dollars per thousand new words.",
    )
    cluster: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_-]*$",
        description="A ClickHouse cluster whose servers all hold the tables, as replicas; empty: one server.",
    )

    @property
    def query_limits(self) -> QueryLimits:
        """Return what queries may take."""
        return QueryLimits(
            seconds=self.max_query_seconds,
            rows=self.max_result_rows,
            megabytes=self.max_query_megabytes,
            threads=self.max_query_threads,
            queued=self.queued_queries,
            wait_seconds=self.query_wait_seconds,
        )

    def read_token(self) -> str:
        """Return the token; empty where none is set. Raises FatalError for one that cannot be read or is short."""
        token = self.token.get_secret_value()
        if self.token_file:
            try:
                token = Path(self.token_file).read_text("utf-8").strip()
            except OSError as error:
                raise FatalError(f"DRAGOMAN_ANALYTICS_TOKEN_FILE cannot be read: {error}") from None
        if (token or self.token_file) and len(token) < _SHORTEST_TOKEN:
            raise FatalError(
                f"the token of the query interface needs {_SHORTEST_TOKEN} characters: openssl rand -hex 32"
            )
        return token


class AnalyticsSettings(ProcessSettings):
    """The whole configuration of the analytics process."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    analytics: AnalyticsSection = Field(default_factory=AnalyticsSection)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    budgets: BudgetSettings = Field(default_factory=BudgetSettings)
    dashboard: DashboardSection = Field(default_factory=DashboardSection)

    @model_validator(mode="after")
    def _others_need_a_token(self) -> "AnalyticsSettings":
        section = self.analytics
        if not (_is_loopback(section.host) or section.token.get_secret_value() or section.token_file):
            raise ValueError(
                f"DRAGOMAN_ANALYTICS_HOST is {section.host}, which others reach: "
                "set DRAGOMAN_ANALYTICS_TOKEN or DRAGOMAN_ANALYTICS_TOKEN_FILE, or listen on 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _retries_end_before_the_membership(self) -> "AnalyticsSettings":
        if self.analytics.insert_retry_seconds * 1000 >= self.kafka.max_poll_interval_ms:
            raise ValueError(
                "DRAGOMAN_ANALYTICS_INSERT_RETRY_SECONDS must be below DRAGOMAN_KAFKA_MAX_POLL_INTERVAL_MS"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

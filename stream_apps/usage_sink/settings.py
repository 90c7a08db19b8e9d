"""The settings of the analytics process: where ClickHouse is, how usage is written, what a device costs."""

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.settings import ProcessSettings, Section
from stream_apps.runtime.dead_letters import DeadLetterSettings

# Public list prices in US dollars per hour. They are examples: every deployment sets its own.
EXAMPLE_PRICES = {
    "cpu/on_demand": 0.17,
    "cpu/spot": 0.06,
    "cpu/reserved": 0.11,
    "t4/on_demand": 0.526,
    "t4/spot": 0.158,
    "t4/reserved": 0.33,
    "v100/on_demand": 3.06,
    "v100/spot": 0.918,
    "v100/reserved": 1.95,
}


class AnalyticsSection(Section):
    """DRAGOMAN_ANALYTICS_*: the database, the query interface, the inserts and the prices."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_ANALYTICS_", frozen=True, extra="forbid")

    dsn: SecretStr = Field(
        default=SecretStr("chdb://.dragoman/data/analytics"),
        description="chdb:///path (embedded, one process) or http(s)://user:password@host:8123/database.",
    )
    url: str = Field(default="", description="Address of the query interface, for the command line.")
    host: str = Field(default="127.0.0.1", description="Address on which the query interface listens.")
    port: int = Field(default=0, ge=0, le=65535, description="Port of the query interface; 0 takes any free port.")
    batch_rows: int = Field(default=20_000, ge=1, description="Most rows of one insert.")
    buffered_rows: int = Field(
        default=40_000,
        ge=1,
        description="Most rows of all partitions that wait for an insert; beyond it they are inserted at once.",
    )
    batch_seconds: float = Field(default=1.0, ge=0, description="Longest time a row waits for an insert.")
    insert_retry_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How long an insert is tried again before the sink leaves its group and joins again. "
        "Must be below DRAGOMAN_KAFKA_MAX_POLL_INTERVAL_MS.",
    )
    max_query_seconds: int = Field(default=30, ge=1, description="Longest time of one query.")
    max_query_megabytes: int = Field(
        default=1000, ge=1, description="Most memory of one query; one runs at a time."
    )
    max_result_rows: int = Field(default=100_000, ge=1, description="Most rows of an answer.")
    prices: dict[str, float] = Field(
        default_factory=lambda: dict(EXAMPLE_PRICES), description="device/market -> US dollars per hour."
    )


class AnalyticsSettings(ProcessSettings):
    """The whole configuration of the analytics process."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    analytics: AnalyticsSection = Field(default_factory=AnalyticsSection)

    @model_validator(mode="after")
    def _retries_end_before_the_membership(self) -> "AnalyticsSettings":
        if self.analytics.insert_retry_seconds * 1000 >= self.kafka.max_poll_interval_ms:
            raise ValueError(
                "DRAGOMAN_ANALYTICS_INSERT_RETRY_SECONDS must be below DRAGOMAN_KAFKA_MAX_POLL_INTERVAL_MS"
            )
        return self

"""The configuration of an assembler."""

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.redis.slots import SlotRetention
from connectors.settings import ProcessSettings, Section
from connectors.tracing.settings import TracingSettings
from stream_apps.runtime.dead_letters import DeadLetterSettings

_DAY_SECONDS = 24 * 60 * 60


class AssemblyLimits(Section):
    """DRAGOMAN_ASSEMBLY_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_ASSEMBLY_", frozen=True, extra="forbid")

    cycle_records: int = Field(default=500, ge=1, description="Most records of one transaction.")
    cycle_bytes: int = Field(
        default=16_000_000, ge=1, description="Most bytes of one transaction's records, and of slots read at once."
    )
    idle_wait_seconds: float = Field(
        default=0.5, gt=0, description="Longest wait for the first record of a cycle; a record ends it at once."
    )
    startup_seconds: float = Field(
        default=60.0,
        gt=0,
        description="With DRAGOMAN_KAFKA_TENANTS: how long topics may be missing at start.",
    )
    inline_limit_bytes: int = Field(
        default=700_000, gt=0, description="Larger results have their text in the object store."
    )
    slots_ttl_days: float = Field(
        default=4.0,
        gt=0,
        description="Of open requests, since their last batch: retention of batches plus a day. "
        "Below DRAGOMAN_REDIS_DONE_TTL_DAYS.",
    )
    result_ttl_hours: float = Field(default=24.0, gt=0, description="How long HTTP can show a result.")
    rebuild_slice_seconds: float = Field(
        default=20.0, gt=0, description="Longest part of a rebuild without a poll; below Kafka's poll interval."
    )
    rebuild_margin_minutes: float = Field(
        default=5.0, ge=0, description="Read again before the last use of a state that was restarted: clock skew."
    )

    @property
    def result_ttl_seconds(self) -> int:
        """Return the life of a result in Redis."""
        return round(self.result_ttl_hours * 3600)

    @property
    def rebuild_margin_ms(self) -> int:
        """Return the margin in milliseconds."""
        return round(self.rebuild_margin_minutes * 60_000)


class AssemblySettings(ProcessSettings):
    """The whole configuration of an assembler."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    assembly: AssemblyLimits = Field(default_factory=AssemblyLimits)
    tracing: TracingSettings = Field(default_factory=TracingSettings)

    @property
    def retention(self) -> SlotRetention:
        """Return how long Redis keeps slots and markers."""
        return SlotRetention(
            slots_seconds=round(self.assembly.slots_ttl_days * _DAY_SECONDS),
            done_seconds=self.redis.done_ttl_seconds,
            result_seconds=self.assembly.result_ttl_seconds,
        )

    @model_validator(mode="after")
    def _markers_outlive_slots(self) -> "AssemblySettings":
        if self.retention.slots_seconds >= self.retention.done_seconds:
            raise ValueError("DRAGOMAN_ASSEMBLY_SLOTS_TTL_DAYS must be below DRAGOMAN_REDIS_DONE_TTL_DAYS")
        return self

"""What a worker is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from stream_apps.runtime.dead_letters import DeadLetterSettings


class WorkerLimits(Section):
    """DRAGOMAN_WORKER_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_WORKER_", frozen=True, extra="forbid")

    pool: str = Field(default="default", description="Whose batches it translates.")
    device: str = Field(default="cpu", description="Price key of the machine, and where models run.")
    market: str = Field(default="on_demand", description="Price key: on_demand, spot or reserved.")
    model_paths: tuple[Path, ...] = Field(default=(), description="Model folders beside the bundled ones.")
    model_memory_mb: int = Field(default=8_000, ge=1, description="Idle models are unloaded above this.")
    safe_size_minutes: float = Field(
        default=10.0, ge=0, description="After running out of memory, smaller parts for so long."
    )
    cycle_seconds: float = Field(
        default=1.0, gt=0, description="Work per transaction: critical waits at most this."
    )
    cycle_bytes: int = Field(default=16_000_000, ge=1, description="Most bytes of one transaction's records.")
    longest_cycle_seconds: float = Field(
        default=45.0,
        gt=0,
        description="Then segments stay untranslated; far below the longest poll interval.",
    )
    first_words_per_second: float = Field(default=600.0, gt=0, description="Assumed until measured.")
    high_share: float = Field(default=0.2, ge=0, le=1, description="Guaranteed to high while critical never ends.")
    standard_share: float = Field(
        default=0.1, ge=0, le=1, description="Guaranteed to standard while others never end."
    )
    aged_share: float = Field(default=0.5, ge=0, le=1, description="Instead, once a record waited half its SLA.")
    registry_ttl_seconds: int = Field(default=30, ge=1, description="Its models count as served for so long.")


class WorkerSettings(ProcessSettings):
    """A worker's whole configuration."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    worker: WorkerLimits = Field(default_factory=WorkerLimits)

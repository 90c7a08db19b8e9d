"""The settings of a worker."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from connectors.tracing.settings import TracingSettings
from inference_workers.engines.protocol import Device
from stream_apps.runtime.dead_letters import DeadLetterSettings


class WorkerLimits(Section):
    """DRAGOMAN_WORKER_*: whose batches it translates, with which models, how much at once."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_WORKER_", frozen=True, extra="forbid")

    pool: str = Field(default="default", description="The pool whose batches it translates.")
    device: Device = Field(
        default=Device.CPU, description="Where models run; auto takes a GPU where the engine finds one."
    )
    hardware: str = Field(
        default="cpu", min_length=1, description="Price key of the machine: cpu, t4, l4, a100 and so on."
    )
    market: str = Field(default="on_demand", description="Price key: on_demand, spot or reserved.")
    model_paths: tuple[Path, ...] = Field(
        default=(), description="Model folders, in addition to the bundled ones."
    )
    model_memory_mb: int = Field(default=8_000, ge=1, description="Idle models are unloaded above this.")
    journal_path: Path = Field(
        default=Path(".dragoman/data/worker"),
        description="Folder that outlives the process, for a note of the texts the engine has: one that ends the "
        "process several times becomes a hole.",
    )
    safe_size_minutes: float = Field(
        default=10.0, ge=0, description="How long parts stay smaller after the device ran out of memory."
    )
    take_seconds: float = Field(default=0.5, gt=0, description="Work that is taken at once for one priority.")
    take_bytes: int = Field(
        default=8_000_000, ge=1, description="Most bytes taken at once, and most on their way to Kafka."
    )
    part_seconds: float = Field(
        default=0.25,
        gt=0,
        description="Work the engine gets in one call; a critical batch waits this long at most. Engines that "
        "translate text by text stop for it after the text in hand.",
    )
    longest_take_seconds: float = Field(
        default=45.0,
        gt=0,
        description="After this engine time for one take its segments stay untranslated; far below the longest "
        "poll interval, after which work in hand is dropped and taken again.",
    )
    first_words_per_second: float = Field(
        default=600.0, gt=0, description="Speed that is assumed until it is measured."
    )
    high_share: float = Field(
        default=0.2, ge=0, le=1, description="Share guaranteed to high priority while critical work never ends."
    )
    standard_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share guaranteed to standard priority while more urgent work never ends.",
    )
    bulk_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Share of what a priority gets that is guaranteed to its long requests beside its short ones.",
    )
    aged_share: float = Field(
        default=0.5, ge=0, le=1, description="Share instead, once a record has waited half its SLA."
    )
    max_spans: int = Field(
        default=128,
        ge=1,
        le=1000,
        description="URLs, placeholders, code and the like in one sentence; one with more is not translated.",
    )
    tell_seconds: float = Field(
        default=120.0,
        gt=0,
        description="How often it tells the reports that it is there: a killed one has cost until its last word.",
    )
    registry_ttl_seconds: int = Field(
        default=30, ge=1, description="How long its models count as served after each announcement."
    )

    @model_validator(mode="after")
    def _gpus_have_a_price_of_their_own(self) -> Self:
        if self.device is Device.CUDA and self.hardware == "cpu":
            raise ValueError("device is cuda and hardware is cpu: name the GPU in DRAGOMAN_WORKER_HARDWARE")
        return self


class WorkerSettings(ProcessSettings):
    """The whole configuration of a worker."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    worker: WorkerLimits = Field(default_factory=WorkerLimits)
    tracing: TracingSettings = Field(default_factory=TracingSettings)

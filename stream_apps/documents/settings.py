"""The configuration of the two processes of documents."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.formats.settings import FormatSettings
from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from connectors.tracing.settings import TracingSettings
from stream_apps.assembly.settings import AssemblyLimits, AssemblySettings
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.runtime.dead_letters import DeadLetterSettings

# Between two polls lies the longest cycle: 8 merges, each of which may take a minute and be tried twice.
_POLL_MS = 1_000_000


class DocumentKafkaSettings(KafkaSettings):
    """DRAGOMAN_KAFKA_*: a cycle may take apart, or merge, files for minutes."""

    max_poll_interval_ms: int = Field(
        default=_POLL_MS, ge=10_000, description="Kafka drops a member that asks for nothing for longer."
    )


class DocumentLimits(Section):
    """DRAGOMAN_DOCUMENTS_*: what one document may ask of the platform."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_DOCUMENTS_", frozen=True, extra="forbid")

    max_bytes: int = Field(default=100_000_000, ge=1, description="Of a file as it came.")
    max_characters: int = Field(
        default=5_000_000, ge=1, description="Code points of the text in a document, all units together."
    )
    idle_wait_seconds: float = Field(
        default=0.25, gt=0, description="How long extraction waits before it asks for documents again."
    )
    folder: str = Field(
        default="",
        description="Each process has a folder of its own below it, for the files in hand; empty: the system's "
        "temporary folder.",
    )


class ExtractionSettings(ProcessSettings):
    """The whole configuration of extraction. Its batches are cut as those of texts are."""

    silence_seconds: float = Field(
        default=_POLL_MS / 1000, gt=0, description="/health fails after so long without progress."
    )
    kafka: DocumentKafkaSettings = Field(default_factory=DocumentKafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    requests: RequestLimits = Field(default_factory=RequestLimits)
    cutting: CuttingLimits = Field(default_factory=CuttingLimits)
    intake: IntakeLimits = Field(default_factory=IntakeLimits)
    documents: DocumentLimits = Field(default_factory=DocumentLimits)
    formats: FormatSettings = Field(default_factory=FormatSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)


class MergingLimits(AssemblyLimits):
    """DRAGOMAN_MERGING_*: as those of assembly, with smaller cycles."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_MERGING_", frozen=True, extra="forbid")

    cycle_records: int = Field(
        default=8, ge=1, description="Most records of one transaction; each may put a file together."
    )


class MergingSettings(AssemblySettings):
    """The whole configuration of merging."""

    silence_seconds: float = Field(
        default=_POLL_MS / 1000, gt=0, description="/health fails after so long without progress."
    )
    kafka: DocumentKafkaSettings = Field(default_factory=DocumentKafkaSettings)
    assembly: MergingLimits = Field(default_factory=MergingLimits)
    documents: DocumentLimits = Field(default_factory=DocumentLimits)
    formats: FormatSettings = Field(default_factory=FormatSettings)

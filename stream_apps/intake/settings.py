"""What intake is told: every limit on a request, and the rules that choose a pool."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from connectors.dead_letters.settings import DeadLetterSettings
from connectors.faust.settings import FaustSettings
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from schemas.priorities import Priority
from schemas.validity import LONGEST_NAME, MOST_METADATA_BYTES, MOST_SEGMENTS_PER_BATCH
from stream_apps.intake.batching import BatchLimits
from stream_apps.intake.lateness import DeadlinePolicy


class Route(BaseModel):
    """A rule: requests that fit every condition given go to the pool. Empty conditions fit all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str = Field(description="One of DRAGOMAN_KAFKA_POOLS.")
    priorities: tuple[Priority, ...] = Field(default=(), description="One of them.")
    pairs: tuple[str, ...] = Field(default=(), description="One of them, such as en-pt.")
    min_words: int = Field(default=0, ge=0, description="Of the text, this number included.")
    max_words: int | None = Field(default=None, ge=0, description="Of the text, this number included.")


class IntakeLimits(Section):
    """DRAGOMAN_INTAKE_*. Changing the batch limits while requests wait makes their repeats split otherwise."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_INTAKE_", frozen=True, extra="forbid")

    max_id_length: int = Field(
        default=200, ge=1, le=LONGEST_NAME, description="Characters of request_id, tenant and glossary."
    )
    max_text_characters: int = Field(default=1_000_000, ge=1, description="Code points of one text.")
    max_content_bytes: int = Field(default=4_000_000, ge=1, description="Of a text behind content_ref.")
    content_types: tuple[str, ...] = Field(
        default=("text/plain",), description="Other formats are extracted to plain text before they come here."
    )
    max_metadata_entries: int = Field(default=32, ge=0, description="Of one request.")
    max_metadata_bytes: int = Field(
        default=8192, ge=0, le=MOST_METADATA_BYTES, description="Echoed in every batch and in the result."
    )
    max_options: int = Field(default=16, ge=0, description="Of one request.")
    max_option_length: int = Field(
        default=256, ge=1, description="Characters of the name or the value of an option."
    )
    max_deadline_days: int = Field(default=7, ge=1, description="No longer than requests are kept.")
    late: dict[Priority, DeadlinePolicy] = Field(
        default=dict.fromkeys(Priority, DeadlinePolicy.EXPIRE),
        description="JSON by priority: a request whose deadline passed is ended (expire) or served (serve).",
    )
    max_segments_per_batch: int = Field(
        default=32, ge=1, le=MOST_SEGMENTS_PER_BATCH, description="A longer text becomes several batches."
    )
    max_batch_bytes: int = Field(
        default=400_000, ge=1, description="Of source text; far below Kafka's message limit."
    )
    pairs: tuple[str, ...] = Field(
        default=("en-pt", "pt-en"), description="Accepted while no worker has said what it can translate."
    )
    registry_cache_seconds: float = Field(
        default=5.0, ge=0, description="How old its knowledge of the workers' models may be."
    )
    detection_threshold: float = Field(default=0.5, ge=0, le=1, description="Below it, the language is unknown.")
    routes: tuple[Route, ...] = Field(default=(), description="JSON; the first rule that fits wins.")
    default_pool: str = Field(default="default", description="For requests that fit no rule.")
    max_under_way: int = Field(
        default=10_000, ge=1000, description="Requests remembered until delivered, to recognise repeats."
    )
    thread_characters: int = Field(default=20_000, ge=0, description="Longer texts are split on another thread.")

    @property
    def batch(self) -> BatchLimits:
        """Where a batch ends."""
        return BatchLimits(self.max_segments_per_batch, self.max_batch_bytes)


class IntakeSettings(ProcessSettings):
    """Everything the process is told."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    faust: FaustSettings = Field(default_factory=FaustSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    intake: IntakeLimits = Field(default_factory=IntakeLimits)

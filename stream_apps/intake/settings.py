"""The configuration of intake: what it takes at a time, and the rules that choose a pool."""

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from connectors.faust.settings import FaustSettings
from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from connectors.tracing.settings import TracingSettings
from schemas.languages import parse_pair
from schemas.priorities import Priority
from stream_apps.accounts.budgets import BudgetSettings
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.deadline_policy import DeadlinePolicy
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.routing import Route
from stream_apps.runtime.dead_letters import DeadLetterSettings


class IntakeLimits(Section):
    """DRAGOMAN_INTAKE_*: what is taken, and the rules that choose a pool."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_INTAKE_", frozen=True, extra="forbid")

    max_content_bytes: int = Field(default=4_000_000, ge=1, description="Of a text behind content_ref.")
    late: dict[Priority, DeadlinePolicy] = Field(
        default=dict.fromkeys(Priority, DeadlinePolicy.EXPIRE),
        description="JSON by priority: a request whose deadline passed is ended (expire) or served (serve).",
    )
    pairs: tuple[str, ...] = Field(
        default=("en-pt", "pt-en"), description="Accepted while no worker has said what it can translate."
    )
    take_characters: int = Field(
        default=2_000_000,
        ge=1,
        description="Characters of all texts of a take; when there are more, its other requests follow later.",
    )
    early_backlog_records: int = Field(
        default=20_000,
        ge=0,
        description="While more wait for assembly, standard requests that are remembered go through workers.",
    )
    memory_scopes: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: tenants that share a translation memory, each with the name of its group. "
        "The memory of a tenant that is not named is its own.",
    )
    registry_cache_seconds: float = Field(
        default=5.0, ge=0, description="How old its knowledge of the workers' models may be."
    )
    detection_threshold: float = Field(
        default=0.5, ge=0, le=1, description="Below it, the language is unknown and the text passes through."
    )
    routes: tuple[Route, ...] = Field(default=(), description="JSON; the first rule that fits wins.")
    default_pool: str = Field(default="default", description="For requests that fit no rule.")
    max_under_way: int = Field(
        default=10_000, ge=1000, description="Requests remembered until delivered, to recognise repeats."
    )
    thread_characters: int = Field(default=20_000, ge=0, description="Longer texts are split on another thread.")

    @field_validator("pairs")
    @classmethod
    def _are_pairs(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(parse_pair(pair)) for pair in pairs)


class IntakeKafkaSettings(KafkaSettings):
    """DRAGOMAN_KAFKA_*: the records of a take are sent at once anyway, and a lone one should not wait."""

    linger_ms: int = Field(
        default=1,
        ge=0,
        description="How long a record waits for others to be sent with it; in a transaction none waits.",
    )


class IntakeSettings(ProcessSettings):
    """The whole configuration of intake."""

    kafka: IntakeKafkaSettings = Field(default_factory=IntakeKafkaSettings)
    faust: FaustSettings = Field(default_factory=FaustSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    requests: RequestLimits = Field(default_factory=RequestLimits)
    cutting: CuttingLimits = Field(default_factory=CuttingLimits)
    intake: IntakeLimits = Field(default_factory=IntakeLimits)
    budgets: BudgetSettings = Field(default_factory=BudgetSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)

"""What the status projection is told."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.dead_letters.settings import DeadLetterSettings
from connectors.faust.settings import FaustSettings
from connectors.kafka.settings import KafkaSettings
from connectors.redis.job_ledger import LedgerTimes
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section

_HOUR_SECONDS = 60 * 60


class StatusLimits(Section):
    """DRAGOMAN_STATUS_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_STATUS_", frozen=True, extra="forbid")

    view_ttl_hours: float = Field(default=96.0, gt=0, description="How long a job is shown after its last event.")
    queue_ttl_hours: float = Field(
        default=96.0, gt=0, description="How long a job counts as waiting: the batches' retention plus a day."
    )

    @property
    def times(self) -> LedgerTimes:
        """In seconds."""
        return LedgerTimes(round(self.view_ttl_hours * _HOUR_SECONDS), round(self.queue_ttl_hours * _HOUR_SECONDS))


class StatusFaustSettings(FaustSettings):
    """DRAGOMAN_FAUST_*, for a topic of many small records: a small buffer makes Faust wait between fetches."""

    buffered_records: int = Field(default=4096, ge=2, description="Prefetched; more waits in Kafka.")


class StatusSettings(ProcessSettings):
    """The whole configuration."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    faust: StatusFaustSettings = Field(default_factory=StatusFaustSettings)
    status: StatusLimits = Field(default_factory=StatusLimits)

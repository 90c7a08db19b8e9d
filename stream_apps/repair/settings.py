"""What the repair process is told."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from stream_apps.repair.open_requests import LossPolicy
from stream_apps.repair.reconcile import ReconcileLimits

_HOUR_MS = 60 * 60 * 1000


class RepairLimits(Section):
    """DRAGOMAN_REPAIR_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REPAIR_", frozen=True, extra="forbid")

    every_seconds: float = Field(default=60.0, gt=0, description="Between two comparisons while all is well.")
    every_seconds_after_loss: float = Field(
        default=5.0, gt=0, description="Between two comparisons until all that a loss took is answered."
    )
    window_hours: float = Field(
        default=1.0, gt=0, description="How far back a comparison looks while all is well."
    )
    window_hours_after_loss: float = Field(
        default=168.0, gt=0, description="How far back the first one looks after a loss: retention of requests."
    )
    grace_seconds: float = Field(
        default=10.0, ge=0, description="So much older than all that waits must a lost request be: clock skew."
    )
    most_redrives: int = Field(default=5, ge=1, description="Then a request is given up, and somebody must look.")
    most_ids: int = Field(default=1_000_000, ge=1, description="In memory at a time, about 0.3 kB each.")
    sweep_seconds: float = Field(default=1.0, gt=0, description="Between two looks for deadlines that passed.")
    sweep_requests: int = Field(default=1_000, ge=1, description="Most requests of one look.")
    transactions_every_seconds: float = Field(
        default=5.0, gt=0, description="Between two looks for transactions that Kafka has forgotten."
    )
    transactions_open_seconds: float = Field(
        default=10.0, gt=0, description="Open for so long, a transaction is looked at."
    )
    lease_seconds: float = Field(
        default=15.0, gt=0, description="A second instance takes over after so long a silence of the first."
    )

    @property
    def reconcile_limits(self) -> ReconcileLimits:
        """For one comparison."""
        return ReconcileLimits(LossPolicy(round(self.grace_seconds * 1000), self.most_redrives), self.most_ids)

    @property
    def window_ms(self) -> int:
        """While all is well."""
        return round(self.window_hours * _HOUR_MS)

    @property
    def window_after_loss_ms(self) -> int:
        """After a loss."""
        return round(self.window_hours_after_loss * _HOUR_MS)


class RepairSettings(ProcessSettings):
    """The whole configuration."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    repair: RepairLimits = Field(default_factory=RepairLimits)

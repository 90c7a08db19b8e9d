"""The settings of the repair process."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from stream_apps.repair.open_requests import LossPolicy
from stream_apps.repair.reconcile import ReconcileLimits

_HOUR_MS = 60 * 60 * 1000


class RepairLimits(Section):
    """DRAGOMAN_REPAIR_*: how often to compare, how far to look back, when a request counts as lost."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REPAIR_", frozen=True, extra="forbid")

    every_seconds: float = Field(
        default=60.0, gt=0, description="Time between two comparisons in normal operation."
    )
    every_seconds_after_loss: float = Field(
        default=5.0,
        gt=0,
        description="Time between two comparisons until everything that a loss took is answered.",
    )
    window_hours: float = Field(
        default=1.0, gt=0, description="How far back a comparison looks in normal operation."
    )
    window_hours_after_loss: float = Field(
        default=168.0,
        gt=0,
        description="How far back the first comparison after a loss looks: the retention of requests.",
    )
    grace_seconds: float = Field(
        default=10.0,
        ge=0,
        description="Minimum age behind the watermark before a request counts as lost; covers clock skew.",
    )
    most_redrives: int = Field(
        default=5,
        ge=1,
        description="How often a request is sent again before it is given up and needs an operator.",
    )
    most_ids: int = Field(
        default=1_000_000, ge=1, description="Requests held in memory at once, about 0.3 kB each."
    )
    sweep_seconds: float = Field(
        default=1.0, gt=0, description="Time between two looks for deadlines that passed."
    )
    sweep_requests: int = Field(default=1_000, ge=1, description="Most requests that one look ends.")
    transactions_every_seconds: float = Field(
        default=5.0, gt=0, description="Time between two looks for hanging transactions."
    )
    transactions_open_seconds: float = Field(
        default=10.0, gt=0, description="How long a transaction must be open before it is checked."
    )
    texts_every_seconds: float = Field(
        default=3600.0, gt=0, description="Time between two looks for stored texts that are too old."
    )
    erasures_every_seconds: float = Field(
        default=10.0, gt=0, description="Time between two looks for erased requests, whose files are deleted."
    )
    erasures_again_seconds: float = Field(
        default=3600.0,
        gt=0,
        description="When the files and dead letters of an erased request are looked for a second time: longer "
        "than a batch or a document may be worked on.",
    )
    lease_seconds: float = Field(
        default=15.0, gt=0, description="A second instance takes over when the first is silent for this long."
    )

    @property
    def reconcile_limits(self) -> ReconcileLimits:
        """Return the limits of one comparison."""
        return ReconcileLimits(LossPolicy(round(self.grace_seconds * 1000), self.most_redrives), self.most_ids)

    @property
    def window_ms(self) -> int:
        """Return how far back to look in normal operation, in milliseconds."""
        return round(self.window_hours * _HOUR_MS)

    @property
    def window_after_loss_ms(self) -> int:
        """Return how far back to look after a loss, in milliseconds."""
        return round(self.window_hours_after_loss * _HOUR_MS)


class RepairSettings(ProcessSettings):
    """The whole configuration of the repair process."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    repair: RepairLimits = Field(default_factory=RepairLimits)

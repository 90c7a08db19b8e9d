"""Settings of the processes that run on Faust."""

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class FaustSettings(Section):
    """DRAGOMAN_FAUST_*. Session time-out, linger and sizes come from DRAGOMAN_KAFKA_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_FAUST_", frozen=True, extra="forbid")

    commit_interval_seconds: float = Field(
        default=1.0, gt=0, description="Most work that is repeated after a kill."
    )
    rebalance_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Members must rejoin within it; above LONGEST_PAUSE_SECONDS."
    )
    take_records: int = Field(
        default=256, ge=1, description="Most events of a take; their look-ups and deliveries go together."
    )
    take_bytes: int = Field(
        default=500_000, ge=1, description="Most bytes of a take: more urgent topics wait for it to be cut."
    )
    buffered_records: int = Field(
        default=1024, ge=2, description="Most unfinished records per topic; the rest waits in Kafka."
    )
    buffered_bytes: int = Field(default=16_000_000, ge=1, description="Most bytes of them.")
    first_pause_seconds: float = Field(default=0.2, gt=0, description="After the first transient failure.")
    longest_pause_seconds: float = Field(default=3.0, gt=0, description="Pauses double up to this.")
    send_attempts: int = Field(
        default=20, ge=1, description="After this many failures the process exits and is restarted."
    )
    startup_seconds: float = Field(
        default=60.0, gt=0, description="How long Kafka and the topics may be missing at start."
    )
    stalled_seconds: float = Field(
        default=45.0,
        gt=0,
        description="With work waiting and none finished for so long the process exits and is restarted.",
    )
    lag_interval_seconds: float = Field(default=5.0, gt=0, description="How often progress is measured.")

    @model_validator(mode="after")
    def _pauses_fit_into_a_rebalance(self) -> "FaustSettings":
        if self.longest_pause_seconds >= self.rebalance_timeout_seconds:
            raise ValueError("longest_pause_seconds must be below rebalance_timeout_seconds")
        return self

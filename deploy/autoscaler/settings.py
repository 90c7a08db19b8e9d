"""The settings of the autoscaler."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.settings import ProcessSettings, Section
from deploy.autoscaler.decision import Policy


class AutoscalerSection(Section):
    """DRAGOMAN_AUTOSCALER_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_AUTOSCALER_", frozen=True, extra="forbid")

    pool: str = Field(default="default", description="The pool whose workers it scales.")
    local_root: Path | None = Field(
        default=None, description="Folder of a one-machine stack, whose workers it then starts and stops."
    )
    min_replicas: int = Field(
        default=2, ge=0, description="Fewest replicas of a pool that is not local; see startup_seconds."
    )
    max_replicas: int = Field(default=20, ge=0, description="Most replicas of a pool that is not local.")
    interval_seconds: float = Field(default=5.0, gt=0, description="Time between two measurements.")
    first_words_per_second: float = Field(default=600.0, gt=0, description="Speed of a replica, until measured.")
    startup_seconds: float = Field(
        default=45.0, gt=0, description="Time from the request of a replica until it is ready, until measured."
    )
    utilisation: float = Field(
        default=0.75, gt=0, le=1, description="Share of the replicas' speed that the mean rate of arrival may use."
    )
    scale_in_utilisation: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Share of the remaining replicas' speed that may be used after a scale-in.",
    )
    scale_in_window_seconds: float = Field(
        default=300.0, ge=0, description="Fewer replicas only if fewer were enough for this long."
    )
    scale_in_pause_seconds: float = Field(default=60.0, ge=0, description="Time between two scale-ins.")
    sla_share: float = Field(
        default=0.8, gt=0, le=1, description="Share of the SLA that waiting and translation may take."
    )
    service_floor_seconds: float = Field(
        default=5.0, ge=0, description="Part of the SLA that the other stages take."
    )
    arrival_memory_seconds: float = Field(
        default=60.0, gt=0, description="Time constant of the mean rate of arrival."
    )
    speed_memory_seconds: float = Field(
        default=60.0, gt=0, description="Time constant of the measured speed, in seconds of work."
    )
    read_ahead_records: int = Field(
        default=20_000,
        ge=1,
        description="Records read ahead in a partition; the words of the others are estimated from the mean.",
    )
    keda_address: str = Field(
        default="", description="host:port that KEDA polls (extra `keda`); empty: no such server."
    )

    def policy(self, min_replicas: int, max_replicas: int) -> Policy:
        """Build the policy of these settings, with these bounds."""
        return Policy(
            min_replicas,
            max_replicas,
            sla_share=self.sla_share,
            service_floor_seconds=self.service_floor_seconds,
            utilisation=self.utilisation,
            scale_in_utilisation=self.scale_in_utilisation,
            scale_in_window_seconds=self.scale_in_window_seconds,
            scale_in_pause_seconds=self.scale_in_pause_seconds,
        )


class AutoscalerSettings(ProcessSettings):
    """The whole configuration of the autoscaler."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    autoscaler: AutoscalerSection = Field(default_factory=AutoscalerSection)

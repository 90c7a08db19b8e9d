"""What the autoscaler is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.settings import ProcessSettings, Section
from deploy.autoscaler.decision import Policy


class AutoscalerSection(Section):
    """DRAGOMAN_AUTOSCALER_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_AUTOSCALER_", frozen=True, extra="forbid")

    pool: str = Field(default="default", description="Whose workers it counts.")
    local_root: Path | None = Field(
        default=None, description="Folder of a one-machine stack, whose workers it then starts and stops."
    )
    min_replicas: int = Field(default=2, ge=0, description="Of a pool that is not local; see startup_seconds.")
    max_replicas: int = Field(default=20, ge=0, description="Of a pool that is not local.")
    interval_seconds: float = Field(default=5.0, gt=0, description="Between two measurements.")
    first_words_per_second: float = Field(default=600.0, gt=0, description="Of a replica, until measured.")
    startup_seconds: float = Field(default=45.0, gt=0, description="From asking to ready, until measured.")
    utilisation: float = Field(default=0.75, gt=0, le=1, description="Of replicas, by the mean rate of arrival.")
    scale_in_utilisation: float = Field(default=0.8, gt=0, le=1, description="Of the fewer replicas that stay.")
    scale_in_window_seconds: float = Field(default=300.0, ge=0, description="Fewer only if enough for so long.")
    scale_in_pause_seconds: float = Field(default=60.0, ge=0, description="Between two scale-ins.")
    sla_share: float = Field(default=0.8, gt=0, le=1, description="Of the SLA, for waiting and translation.")
    service_floor_seconds: float = Field(default=5.0, ge=0, description="Of the SLA, for the other stages.")
    arrival_memory_seconds: float = Field(default=60.0, gt=0, description="Of the mean rate of arrival.")
    speed_memory_seconds: float = Field(default=60.0, gt=0, description="Of the speed, in seconds of work.")
    read_ahead_records: int = Field(
        default=20_000, ge=1, description="Of a partition; words beyond are estimated by the mean."
    )
    keda_address: str = Field(
        default="", description="host:port where KEDA asks (extra `keda`); empty: nobody is answered."
    )

    def policy(self, min_replicas: int, max_replicas: int) -> Policy:
        """The rule's part of the settings, for these bounds."""
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
    """The autoscaler's whole configuration."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    autoscaler: AutoscalerSection = Field(default_factory=AutoscalerSection)

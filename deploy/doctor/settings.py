"""The limits from which `dragoman doctor` speaks of a finding."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class DoctorSettings(Section):
    """DRAGOMAN_DOCTOR_*: the limits from which `dragoman doctor` speaks of a finding."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_DOCTOR_", frozen=True, extra="forbid")

    clock_seconds: float = Field(
        default=1.0, gt=0, description="Most that the clock of a server may differ from the one of this machine."
    )
    free_megabytes: int = Field(default=1000, ge=0, description="Least free space of each folder that is written.")
    memory_share: float = Field(
        default=0.8, gt=0, le=1, description="Most of its memory that the state Redis may have in use."
    )
    timeout_seconds: float = Field(default=5.0, gt=0, description="Longest wait for an answer of Kafka.")

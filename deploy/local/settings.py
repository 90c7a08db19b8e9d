"""The settings of the one-machine stack, and the environment that its processes inherit."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section

_PREFIX = "DRAGOMAN_LOCAL_"


class StackSettings(Section):
    """DRAGOMAN_LOCAL_*. The root is made absolute; it holds everything the stack writes."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    root: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        default=Path(".dragoman"), validate_default=True, description="Folder of all that the stack writes."
    )
    workers: int = Field(default=2, ge=0, description="Translating processes; each needs a core.")
    max_workers: int = Field(
        default=0,
        ge=0,
        description="If more than `workers`: the autoscaler may scale up to this number, and back.",
    )
    assemblies: int = Field(default=1, ge=1, description="Processes that join answers.")
    intakes: int = Field(default=1, ge=1, description="Processes that take requests.")
    webhooks: bool = Field(
        default=False, description="Deliver webhooks; without it requests with a callback are refused."
    )
    fresh: bool = Field(default=False, description="Delete the data of earlier runs.")
    stores_only: bool = Field(default=False, description="Kafka and the Valkeys, nothing of the platform.")
    observe: bool = Field(default=False, description="Prometheus and Alertmanager beside the stack.")
    prometheus_path: str = Field(default="", description="The program; empty: `prometheus` of PATH.")
    alertmanager_path: str = Field(
        default="", description="The program; empty: `prometheus-alertmanager` or `alertmanager` of PATH."
    )
    alertmanager_config: Path | None = Field(
        default=None, description="Who hears of alerts; deploy/prometheus/alertmanager.yml if unset."
    )
    scrape_seconds: float = Field(
        default=15.0, ge=0.1, description="How often Prometheus asks each process, and looks at its rules."
    )
    metric_days: int = Field(default=15, ge=1, description="How long Prometheus keeps what it was told.")
    http_port: int = Field(default=0, ge=0, le=65535, description="0 takes any free port.")
    kafka_port: int = Field(default=0, ge=0, le=65535, description="0 takes any free port.")
    kafka_heap_megabytes: int = Field(default=512, ge=128, description="Heap of the broker's JVM.")
    kafka_libraries: Path | None = Field(
        default=None, description="Kafka's jars; kafka/libs of the root if unset."
    )
    cache_megabytes: int = Field(
        default=256, ge=1, description="Memory of the cache; the least recently used keys are evicted."
    )
    ready_timeout_seconds: float = Field(
        default=90.0, gt=0, description="A process that takes longer to get ready has failed."
    )
    minimum_free_megabytes: int = Field(default=500, ge=0, description="Refuse to start with less space on disk.")

    @property
    def data(self) -> Path:
        """Return the folder of the data that outlives a run."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs, one file for each process."""
        return self.root / "logs"

    @property
    def libraries(self) -> Path:
        """Return the folder of Kafka's jars."""
        return self.kafka_libraries or self.root / "kafka" / "libs"

    def as_environment(self) -> dict[str, str]:
        """Return the variables from which another process builds equal settings."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {f"{_PREFIX}{key}".upper(): str(value) for key, value in values.items()}


def inherited_environment() -> dict[str, str]:
    """Return this environment without the stack's own settings, which are not for its processes."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_PREFIX)}

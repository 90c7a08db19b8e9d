"""What the one-machine stack is told, and the environment it hands on."""

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
        default=0, ge=0, description="More than `workers`: the autoscaler may go up to so many, and back."
    )
    assemblies: int = Field(default=1, ge=1, description="Processes that join answers.")
    intakes: int = Field(default=1, ge=1, description="Processes that take requests.")
    fresh: bool = Field(default=False, description="Forget the data of earlier runs.")
    stores_only: bool = Field(default=False, description="Kafka and the Valkeys, nothing of the platform.")
    http_port: int = Field(default=0, ge=0, le=65535, description="0 takes any that is free.")
    kafka_port: int = Field(default=0, ge=0, le=65535, description="0 takes any that is free.")
    kafka_heap_megabytes: int = Field(default=512, ge=128, description="Of the broker's Java.")
    kafka_libraries: Path | None = Field(
        default=None, description="Kafka's jars; kafka/libs of the root if unset."
    )
    cache_megabytes: int = Field(
        default=256, ge=1, description="Memory of the cache; least recently used go first."
    )
    ready_timeout_seconds: float = Field(default=90.0, gt=0, description="A process that takes longer has failed.")
    minimum_free_megabytes: int = Field(default=500, ge=0, description="Refuse to start with less space on disk.")

    @property
    def data(self) -> Path:
        """What outlives a run."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.root / "logs"

    @property
    def libraries(self) -> Path:
        """Where Kafka's jars are."""
        return self.kafka_libraries or self.root / "kafka" / "libs"

    def as_environment(self) -> dict[str, str]:
        """From which another process builds equal settings."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {f"{_PREFIX}{key}".upper(): str(value) for key, value in values.items()}


def inherited_environment() -> dict[str, str]:
    """What the user set for the processes of the stack, the stack's own settings not among them."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_PREFIX)}

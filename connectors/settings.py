"""The base classes of every process's configuration: sections with a prefix each, unknown keys refused.

A process composes its own frozen class from `ProcessSettings` and sections, builds it once in its main and passes
it down. Nothing else reads the environment.
"""

import os
import socket
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DRAGOMAN_"


class Section(BaseSettings):
    """A group of settings under one prefix; a misspelt key under that prefix is an error."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: Any) -> Any:
        prefix = cls.model_config["env_prefix"]
        known = {f"{prefix}{name}".upper() for name in cls.model_fields}
        _refuse({key for key in os.environ if key.startswith(prefix)} - known, known)
        return values


class ProcessSettings(BaseSettings):
    """The settings of every process: its name, and where it shows its health."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    instance: str = Field(
        default_factory=socket.gethostname,
        description="Static name of this process; also its transactional id, so unique among its kind.",
    )
    health_host: str = Field(default="127.0.0.1", description="Address on which the health port listens.")
    health_port: int = Field(
        default=0, ge=0, le=65535, description="Serves /health, /ready and /metrics; 0 takes any free port."
    )
    silence_seconds: float = Field(
        default=120.0, gt=0, description="/health fails after so long without progress."
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")


def _refuse(unknown: set[str], known: set[str]) -> None:
    if unknown:
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")

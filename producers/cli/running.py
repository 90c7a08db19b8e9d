"""Finds the platform that a command talks to: the one it is told, else the local one."""

from pathlib import Path
from typing import Annotated

import typer

from connectors.kafka.settings import KafkaSettings
from deploy.local.control import read_run
from deploy.local.failures import StackError
from deploy.local.run_file import RunInfo
from deploy.local.settings import StackSettings
from producers.cli.failures import NotRunningError

Root = Annotated[
    Path | None, typer.Option(help="Where the local platform keeps its data (DRAGOMAN_LOCAL_ROOT, .dragoman).")
]


def root_of(root: Path | None) -> Path:
    """The folder of the local platform."""
    return root or StackSettings().root


def running(root: Path | None = None) -> RunInfo:
    """The addresses of the local platform. Raises NotRunningError."""
    try:
        return read_run(root_of(root))
    except StackError as error:
        raise NotRunningError(str(error)) from None


def http_url(url: str | None) -> str:
    """Where the HTTP interface is."""
    return url or running().http_url


def kafka_settings() -> KafkaSettings:
    """DRAGOMAN_KAFKA_* where the bootstrap address is given there, else that of the local platform."""
    settings = KafkaSettings()
    if "bootstrap" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"bootstrap": running().kafka_bootstrap})

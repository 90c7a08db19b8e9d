"""What a process of the stack is, before it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from deploy.local.backoff import RestartPolicy
from deploy.local.readiness import ReadyCheck


class ProcessState(StrEnum):
    """Where a process is in its life, as shown to the user."""

    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class ProcessSpec:
    """One process. Stages start in ascending order, each when the one before is ready, and stop in reverse.

    `environment` is added to what the supervisor was started with. `niceness`: 0 to 19, as nice(1) has it.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    ready: ReadyCheck
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_timeout_seconds: float = 60.0
    stop_timeout_seconds: float = 10.0
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    niceness: int = 0


def stages_of(specs: Sequence[ProcessSpec]) -> list[list[ProcessSpec]]:
    """The specs by ascending stage; in a stage, in the order given."""
    by_stage = attrgetter("stage")
    return [list(stage) for _, stage in groupby(sorted(specs, key=by_stage), key=by_stage)]

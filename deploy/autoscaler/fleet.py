"""Who makes it so: the workers of a one-machine stack, or somebody who asks us (Kubernetes)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.errors import StackError
from deploy.local.main import propose_scale
from deploy.local.state_files import Author, read_desired, read_run
from schemas.errors import TransientError


@dataclass(frozen=True)
class RequestedReplicas:
    """How many replicas the fleet is asked for. Pinned: by a person, who goes before us."""

    replicas: int
    is_pinned: bool = False


class Fleet(Protocol):
    """The replicas of one pool. Raises TransientError while it cannot be reached."""

    def asked(self, ready: int) -> RequestedReplicas:
        """As it is now, whoever asked. `ready` were measured, for a fleet that knows no number yet."""

    def ask(self, replicas: int) -> None:
        """To be repeated freely: the same number again does nothing, or helps what was lost."""


class LocalFleet:
    """The workers of the one-machine stack in `root`. Keeps nothing: what counts is in the stack's files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def bounds(self) -> tuple[int, int]:
        """Fewest and most workers of this run."""
        try:
            run = read_run(self._root)
        except StackError as error:
            raise TransientError(str(error)) from error
        return run.workers, run.max_workers

    def asked(self, ready: int) -> RequestedReplicas:  # noqa: ARG002  # the stack's files know better
        desired = read_desired(self._root)
        if desired is None:
            return RequestedReplicas(self.bounds()[0])
        return RequestedReplicas(desired.workers, is_pinned=desired.by is Author.PERSON)

    def ask(self, replicas: int) -> None:
        try:
            propose_scale(self._root, replicas)
        except StackError as error:
            raise TransientError(str(error)) from error


class PolledFleet:
    """A fleet that asks us: what we decided last is what it will be. At first it is as it is found."""

    def __init__(self) -> None:
        self._replicas: int | None = None

    def asked(self, ready: int) -> RequestedReplicas:
        return RequestedReplicas(ready if self._replicas is None else self._replicas)

    def ask(self, replicas: int) -> None:
        self._replicas = replicas

"""Apply a number of replicas: to the local workers of a stack, or through KEDA, which polls us."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.errors import StackError
from deploy.local.main import propose_scale
from deploy.local.state_files import Author, read_desired, read_run_file
from schemas.errors import TransientError


@dataclass(frozen=True)
class RequestedReplicas:
    """How many replicas the fleet should have. Pinned: a person chose the number, and the autoscaler must not."""

    replicas: int
    is_pinned: bool = False


class Fleet(Protocol):
    """The replicas of one pool. Raises TransientError while it cannot be reached."""

    def requested(self, ready: int) -> RequestedReplicas:
        """Return what is requested now, by whomever. `ready` is the answer of a fleet that got no request yet."""

    def request(self, replicas: int) -> None:
        """Request a number. A repeat of the same number is harmless, and replaces a request that was lost."""


class LocalFleet:
    """The workers of the one-machine stack in `root`. Stateless: the numbers are in the stack's files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def bounds(self) -> tuple[int, int]:
        """Return the fewest and the most workers of this run. Raises TransientError when no stack runs."""
        try:
            run = read_run_file(self._root)
        except StackError as error:
            raise TransientError(str(error)) from error
        return run.workers, run.max_workers

    def requested(self, ready: int) -> RequestedReplicas:  # noqa: ARG002  # the stack's files know the number
        """Return the number in the stack's files."""
        desired = read_desired(self._root)
        if desired is None:
            return RequestedReplicas(self.bounds()[0])
        return RequestedReplicas(desired.workers, is_pinned=desired.by is Author.PERSON)

    def request(self, replicas: int) -> None:
        """Request the number from the stack's supervisor."""
        try:
            propose_scale(self._root, replicas)
        except (StackError, OSError) as error:  # OSError: a disk that is full
            raise TransientError(str(error)) from error


class PolledFleet:
    """A fleet that polls us, as KEDA does: it will have the number decided last. Before that, what is ready."""

    def __init__(self) -> None:
        self._replicas: int | None = None

    def requested(self, ready: int) -> RequestedReplicas:
        """Return the number decided last; before the first decision, those that are ready."""
        return RequestedReplicas(ready if self._replicas is None else self._replicas)

    def request(self, replicas: int) -> None:
        """Remember the number for the next poll."""
        self._replicas = replicas

"""The files in the root through which the supervisor and other programs talk to each other.

`desired.json` and `restart.json` say what should change; the supervisor reads them at SIGHUP. A number of workers
that a person chose takes precedence over one that the autoscaler proposes; a lock orders the two when they write
at the same time. `run.json` says what is running and where; it exists as long as the stack runs.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from deploy.local.errors import StackError, not_running


def write_atomically(path: Path, text: str) -> None:
    """Write beside the file, then rename, so that a reader sees the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


class Author(StrEnum):
    """Who chose a number of workers."""

    PERSON = "person"
    AUTOSCALER = "autoscaler"


@dataclass(frozen=True)
class DesiredWorkers:
    """The number of workers the stack should have, until it stops, and who chose it."""

    workers: int
    by: Author


def write_desired(root: Path, desired: DesiredWorkers) -> None:
    """Set the desired number of workers."""
    with _locked(root):
        _write_desired(root, desired)


def propose(root: Path, workers: int) -> bool:
    """Set the number that the autoscaler wants. Returns False, and changes nothing, where a person has chosen."""
    with _locked(root):
        found = read_desired(root)
        if found and found.by is Author.PERSON:
            return False
        _write_desired(root, DesiredWorkers(workers, Author.AUTOSCALER))
        return True


def read_desired(root: Path) -> DesiredWorkers | None:
    """Return the desired number of workers; None while the number of the settings holds."""
    try:
        found = json.loads(_desired_path(root).read_text())
        return DesiredWorkers(int(found["workers"]), Author(found["by"]))
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # none, or one that a loss of power cut short
        return None


def write_restarts(root: Path, names: Sequence[str]) -> None:
    """Request one restart of each of these processes, in this order."""
    write_atomically(_restart_path(root), json.dumps(list(names)))


def take_restarts(root: Path) -> list[str]:
    """Return the processes whose restart was requested since the last call, and clear the request."""
    path = _restart_path(root)
    try:
        names = [str(name) for name in json.loads(path.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        names = []
    path.unlink(missing_ok=True)
    return names


def forget_requests(root: Path) -> None:
    """Delete the desired number of workers and the requested restarts; a new run starts from its settings."""
    _desired_path(root).unlink(missing_ok=True)
    _restart_path(root).unlink(missing_ok=True)


@dataclass(frozen=True)
class RunInfo:
    """The addresses and processes of a running stack. `started_at` in seconds since 1970.

    `processes` maps names to process ids; a name is missing while its process waits for its restart.
    `is_ready` becomes true when every process has been ready once.
    `workers` and `max_workers` are the bounds of the autoscaler. Without `--observe` the last two are empty.
    """

    kafka_bootstrap: str
    http_url: str
    analytics_url: str
    redis_cache_url: str
    redis_state_url: str
    data_dir: str
    supervisor_pid: int
    started_at: float
    workers: int = 0
    max_workers: int = 0
    is_ready: bool = False
    processes: dict[str, int] = field(default_factory=dict)
    health_urls: dict[str, str] = field(default_factory=dict)
    prometheus_url: str = ""
    alertmanager_url: str = ""

    def analytics_token(self) -> str:
        """Return the token that queries need. Raises StackError where it cannot be read."""
        path = analytics_token_path(Path(self.data_dir))
        try:
            return path.read_text()
        except OSError as error:
            raise StackError(f"the token of the analytics process cannot be read: {error}") from None


class RunFile:
    """Keeps `run.json` equal to what runs. Only the supervisor writes it."""

    def __init__(self, root: Path, info: RunInfo) -> None:
        self._path = run_file_path(root)
        self._info = info

    def set_process(self, name: str, pid: int | None) -> None:
        """Record the process id of that name; None when the process has ended."""
        if self._info.processes.get(name) == pid:
            return
        others = {other: number for other, number in self._info.processes.items() if other != name}
        self._info = replace(self._info, processes=others if pid is None else {**others, name: pid})
        self.write()

    def set_health_urls(self, urls: dict[str, str]) -> None:
        """Record the health addresses after the number of workers changed."""
        self._info = replace(self._info, health_urls=urls)
        self.write()

    def set_ready(self) -> None:
        """Record that every process has been ready."""
        self._info = replace(self._info, is_ready=True)
        self.write()

    def write(self) -> None:
        """Write the file; readers see the old or the new content, never a part."""
        write_atomically(self._path, json.dumps(asdict(self._info), indent=2))

    def remove(self) -> None:
        """Delete the file when nothing runs any more."""
        self._path.unlink(missing_ok=True)


def read_run_file(root: Path) -> RunInfo:
    """Return what the supervisor wrote last. Raises StackError without a run file that can be read."""
    path = run_file_path(root)
    try:
        return RunInfo(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise not_running(root) from None
    except (ValueError, TypeError):  # of another version, or cut short by a loss of power
        raise StackError(f"{path} cannot be read", "dragoman down, then dragoman up") from None


def analytics_token_path(data: Path) -> Path:
    """Return the path of the file with the token, which only its owner may read."""
    return data / "analytics.token"


def token_secrets_path(data: Path) -> Path:
    """Return the path of the file with the secrets that sign the tokens of logins; for its owner only."""
    return data / "token.secrets"


def webhook_secrets_path(data: Path) -> Path:
    """Return the path of the file with the secrets that sign webhooks; for its owner only."""
    return data / "webhooks.secrets"


def keep_secret(path: Path) -> None:
    """Make a secret where there is none yet; it stays the same over restarts.

    A full disk or a kill may have left an empty file, which anybody could guess.
    """
    if path.exists() and path.stat().st_size:
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    # Never readable by others, not even between its creation and a change of its mode.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    beside.replace(path)


def run_file_path(root: Path) -> Path:
    """Return the path of the run file of a root."""
    return root / "run.json"


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    # The kernel frees the lock when its holder dies.
    with (root / "desired.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write_desired(root: Path, desired: DesiredWorkers) -> None:
    write_atomically(_desired_path(root), json.dumps(asdict(desired)))


def _desired_path(root: Path) -> Path:
    return root / "desired.json"


def _restart_path(root: Path) -> Path:
    return root / "restart.json"

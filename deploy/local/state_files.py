"""Files that are read while they are written.

What is wanted changed, read by the supervisor at SIGHUP: `desired.json`, `restart.json` in the root.

How many workers a person wants goes before how many the autoscaler wants. A lock orders the two where they
write at once.

What runs and where: `.dragoman/run.json`, there as long as the stack runs.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from deploy.local.errors import not_running


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old or the new content, never a half: written beside, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


class Author(StrEnum):
    """Who chose a number of workers."""

    PERSON = "person"
    AUTOSCALER = "autoscaler"


@dataclass(frozen=True)
class Desired:
    """Counts until the stack stops."""

    workers: int
    by: Author


def write_desired(root: Path, desired: Desired) -> None:
    """From now on this is wanted."""
    with _locked(root):
        _write(root, desired)


def propose(root: Path, workers: int) -> bool:
    """The autoscaler's wish. False where a person has chosen: then nothing changes."""
    with _locked(root):
        found = read_desired(root)
        if found and found.by is Author.PERSON:
            return False
        _write(root, Desired(workers, Author.AUTOSCALER))
        return True


def read_desired(root: Path) -> Desired | None:
    """None: as many as at the start."""
    path = _path(root)
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return Desired(int(found["workers"]), Author(found["by"]))


def forget_desired(root: Path) -> None:
    """A new run starts with what its settings say."""
    _path(root).unlink(missing_ok=True)
    _restart_path(root).unlink(missing_ok=True)


def write_wanted_restarts(root: Path, names: Sequence[str]) -> None:
    """Once, in this order."""
    write_atomically(_restart_path(root), json.dumps(list(names)))


def take_wanted_restarts(root: Path) -> list[str]:
    """The names since the last call; they are not told again."""
    path = _restart_path(root)
    names = [str(name) for name in json.loads(path.read_text())] if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def _restart_path(root: Path) -> Path:
    return root / "restart.json"


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    # Freed by the kernel when its holder dies.
    with (root / "desired.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(root: Path, desired: Desired) -> None:
    write_atomically(_path(root), json.dumps(asdict(desired)))


def _path(root: Path) -> Path:
    return root / "desired.json"


@dataclass(frozen=True)
class RunInfo:
    """The addresses and processes of a running stack. `started_at` in seconds since 1970.

    `processes` maps names to process ids; a name is missing while its process waits to be restarted.
    `is_ready` becomes true when every process has been ready once.
    `workers` and `max_workers` are the bounds of the autoscaler.
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


class RunFile:
    """Keeps the file equal to what runs. Written by the supervisor alone."""

    def __init__(self, root: Path, info: RunInfo) -> None:
        self._path = path_of(root)
        self._info = info

    def set_process(self, name: str, pid: int | None) -> None:
        """The process of that name is now `pid`, or gone."""
        if self._info.processes.get(name) == pid:
            return
        others = {other: number for other, number in self._info.processes.items() if other != name}
        self._info = replace(self._info, processes=others if pid is None else {**others, name: pid})
        self.write()

    def set_health_urls(self, urls: dict[str, str]) -> None:
        """After the number of workers changed."""
        self._info = replace(self._info, health_urls=urls)
        self.write()

    def set_ready(self) -> None:
        """All are up."""
        self._info = replace(self._info, is_ready=True)
        self.write()

    def write(self) -> None:
        """Readers see the old or the new file, never a half."""
        write_atomically(self._path, json.dumps(asdict(self._info), indent=2))

    def remove(self) -> None:
        """Nothing runs any more."""
        self._path.unlink(missing_ok=True)


def path_of(root: Path) -> Path:
    """Where the run file of a root is."""
    return root / "run.json"


def read_run(root: Path) -> RunInfo:
    """What the supervisor wrote last. Raises StackError when there is no run file."""
    try:
        return RunInfo(**json.loads(path_of(root).read_text()))
    except FileNotFoundError:
        raise not_running(root) from None

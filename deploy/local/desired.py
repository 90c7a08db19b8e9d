"""What is wanted changed, read by the supervisor at SIGHUP: `desired.json`, `restart.json` in the root.

How many workers a person wants goes before how many the autoscaler wants. A lock orders the two where they
write at once.
"""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from deploy.local.atomic_file import write_atomically


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

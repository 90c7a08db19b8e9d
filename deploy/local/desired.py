"""What the user wants changed, read by the supervisor at SIGHUP: `desired.json`, `restart.json` in the root."""

import json
from collections.abc import Sequence
from pathlib import Path

from deploy.local.atomic_file import write_atomically


def write_desired_workers(root: Path, workers: int) -> None:
    """Counts until the stack stops."""
    write_atomically(_path(root), json.dumps({"workers": workers}))


def read_desired_workers(root: Path) -> int | None:
    """None: as many as at the start."""
    path = _path(root)
    return int(json.loads(path.read_text())["workers"]) if path.exists() else None


def forget_desired_workers(root: Path) -> None:
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


def _path(root: Path) -> Path:
    return root / "desired.json"

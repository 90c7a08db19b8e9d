"""How many workers the user wants now: `.dragoman/desired.json`, read by the supervisor at SIGHUP."""

import json
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


def _path(root: Path) -> Path:
    return root / "desired.json"

"""Files that are read while they are written."""

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old or the new content, never a half: written beside, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)

"""One log file per process of the stack: `logs/NAME.log`, appended over restarts, bounded while it lives.

A process writes one line for each dead letter, so a flood of them must not fill the disk.
"""

import os
import shutil
from io import FileIO
from pathlib import Path

_ROTATE_BYTES = 32_000_000
_TAIL_BYTES = 16_000


class ProcessLog:
    """The file of one process. Only what the present life wrote counts for its tail."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.log"
        self._life_begins_at = 0

    def open_life(self) -> FileIO:
        """For standard output and error of the next life; the caller closes its copy."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.set_aside()
        self._life_begins_at = self._size()
        return FileIO(self.path, "a")

    def set_aside(self) -> None:
        """What is too long becomes `NAME.log.1`. The process goes on in the same file, which it only appends to;
        a line that it writes in this very moment is lost.
        """
        if self._size() > _ROTATE_BYTES:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            os.truncate(self.path, 0)
            self._life_begins_at = 0

    def last_lines(self, count: int = 20) -> list[str]:
        """What the present life said last."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(max(self._life_begins_at, self._size() - _TAIL_BYTES), os.SEEK_SET)
            return file.read().decode(errors="replace").splitlines()[-count:]

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

"""One supervisor per root: a lock the kernel frees when its holder dies, so it cannot be stale."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.failures import already_running

_PATIENCE_SECONDS = 0.5
_TRY_AGAIN_SECONDS = 0.05
_PID_BYTES = 10


class RootLock:
    """Held from `with` to the end of it. Raises StackError when another supervisor holds it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = -1

    def __enter__(self) -> Self:
        self._file = _open(self._root)
        # Somebody may just be asking `supervisor_of`, which takes the lock for a moment.
        until = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(self._file):
            if time.monotonic() > until:
                holder = _holder(self._file)
                os.close(self._file)
                raise already_running(self._root, holder)
            time.sleep(_TRY_AGAIN_SECONDS)
        os.pwrite(self._file, f"{os.getpid():<{_PID_BYTES}}".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)


def supervisor_of(root: Path) -> int | None:
    """Process id of the supervisor that runs there; None when none does."""
    if not _path(root).exists():
        return None
    file = _open(root)
    try:
        return None if _try_lock(file) else _holder(file)
    finally:
        os.close(file)


def _path(root: Path) -> Path:
    return root / "lock"


def _holder(file: int) -> int:
    """What the holder wrote. Waits out the instant before it did."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (pid := int(os.pread(file, _PID_BYTES, 0) or 0)) and time.monotonic() < until:
        time.sleep(_TRY_AGAIN_SECONDS)
    return pid


def _open(root: Path) -> int:
    root.mkdir(parents=True, exist_ok=True)
    return os.open(_path(root), os.O_RDWR | os.O_CREAT, 0o644)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""One supervisor per root: a lock the kernel frees when its holder dies, so it cannot be stale.

Processes that a supervisor left behind, found by the root that each carries in its environment.

A process id in a file may belong to somebody else by now; the environment of a process cannot.
"""

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.errors import already_running

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


OWNER_VARIABLE = "DRAGOMAN_STACK_ROOT"
_PROC = Path("/proc")


def leftovers(root: Path) -> list[int]:
    """Ids of the processes started for this root, this one not. Empty where there is no /proc."""
    if not _PROC.exists():
        return []
    numbers = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in numbers if pid != os.getpid() and _belongs_to(pid, root)]


def end_leftovers(root: Path) -> list[int]:
    """Kills them; they hold nothing that a crash would lose. Answers their ids."""
    ended = leftovers(root)
    for pid in ended:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return ended


def _belongs_to(pid: int, root: Path) -> bool:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or another user's
        return False
    return f"{OWNER_VARIABLE}={root}".encode() in environment

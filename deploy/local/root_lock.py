"""Find which supervisor owns a root, and which processes of a dead one are still running.

One supervisor per root: it holds a lock that the kernel frees when the holder dies, so the lock cannot be stale.
Processes that a killed supervisor left are found by the root that each carries in its environment: a process id
in a file may belong to another program by now, the environment of a process cannot.
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

OWNER_VARIABLE = "DRAGOMAN_STACK_ROOT"
_LOCK_WAIT_SECONDS = 0.5
_RETRY_SECONDS = 0.05
_PID_BYTES = 10
_PROC = Path("/proc")


class RootLock:
    """Held inside its `with` block. Raises StackError on entry when another supervisor holds it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = -1

    def __enter__(self) -> Self:
        self._file = _open(self._root)
        # Another process may be inside `supervisor_of`, which takes the lock for a moment.
        end = time.monotonic() + _LOCK_WAIT_SECONDS
        while not _try_lock(self._file):
            if time.monotonic() > end:
                holder = _holder(self._file)
                os.close(self._file)
                raise already_running(self._root, holder)
            time.sleep(_RETRY_SECONDS)
        os.pwrite(self._file, f"{os.getpid():<{_PID_BYTES}}".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)


def supervisor_of(root: Path) -> int | None:
    """Return the process id of the supervisor that runs in this root; None when none does."""
    if not _lock_path(root).exists():
        return None
    file = _open(root)
    try:
        return None if _try_lock(file) else _holder(file)
    finally:
        os.close(file)


def leftovers(root: Path) -> list[int]:
    """Return the ids of the processes started for this root, except this one. Empty where there is no /proc."""
    if not _PROC.exists():
        return []
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and _belongs_to(pid, root)]


def end_leftovers(root: Path) -> list[int]:
    """Kill the leftovers, which hold nothing that a crash would lose. Returns their ids."""
    ended = leftovers(root)
    for pid in ended:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return ended


def _lock_path(root: Path) -> Path:
    return root / "lock"


def _open(root: Path) -> int:
    root.mkdir(parents=True, exist_ok=True)
    return os.open(_lock_path(root), os.O_RDWR | os.O_CREAT, 0o644)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: int) -> int:
    """Read the holder's process id, waiting for it if the holder has not written it yet."""
    end = time.monotonic() + _LOCK_WAIT_SECONDS
    while not (pid := int(os.pread(file, _PID_BYTES, 0) or 0)) and time.monotonic() < end:
        time.sleep(_RETRY_SECONDS)
    return pid


def _belongs_to(pid: int, root: Path) -> bool:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or it belongs to another user
        return False
    return f"{OWNER_VARIABLE}={root}".encode() in environment

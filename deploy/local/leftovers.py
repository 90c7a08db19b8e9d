"""Processes that a supervisor left behind, found by the root that each carries in its environment.

A process id in a file may belong to somebody else by now; the environment of a process cannot.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

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

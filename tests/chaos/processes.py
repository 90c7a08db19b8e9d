"""Find the processes of a stack in /proc: each carries the stack's root in its environment."""

from pathlib import Path

_MARK = "DRAGOMAN_STACK_ROOT"


def processes_left(root: Path) -> list[int]:
    """Return the ids of the processes of the stack with this root."""
    mark = f"{_MARK}={root}".encode()
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if mark in _environment(number)]


def _environment(process: int) -> list[bytes]:
    try:
        return Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile
        return []

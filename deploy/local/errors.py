"""Say why the one-machine stack cannot do what was asked, each reason with its cure."""

from pathlib import Path

from schemas.errors import FatalError


class StackError(FatalError):
    """The one-machine stack cannot do what was asked. `cure` says what the user can do about it."""

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(f"{message}; {cure}" if cure else message)
        self.cure = cure


def already_running(root: Path, supervisor_pid: int) -> StackError:
    """Build the error for a second start of the same root."""
    return StackError(f"the stack in {root} is running (process {supervisor_pid})", "stop it first: dragoman down")


def not_running(root: Path) -> StackError:
    """Build the error for a command to a stack that is not running."""
    return StackError(f"no stack is running in {root}", "start it: dragoman up")


def never_ready(name: str, reason: str, log: Path, last_lines: list[str]) -> StackError:
    """Build the error for a process that never got ready, with the last lines of its log."""
    said = "".join(f"\n    {line}" for line in last_lines) or " nothing"
    return StackError(f"{name} {reason}. The end of {log} says:{said}")

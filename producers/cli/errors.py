"""Fail a command: one line on standard error that says what to do next, and an exit code."""

from schemas.errors import FatalError, PermanentError, TransientError

FAILED, USAGE, NOT_RUNNING, INTERRUPTED = 1, 2, 3, 130


class CommandError(Exception):
    """Ends the command. `next_step` is what the user can do about it."""

    exit_code = FAILED

    def __init__(self, message: str, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message}; {self.next_step}" if self.next_step else self.message


class UsageError(CommandError):
    """What was typed cannot work."""

    exit_code = USAGE


class NotRunningError(CommandError):
    """Nothing answers where the platform should be."""

    exit_code = NOT_RUNNING


class StoppedWaitingError(CommandError):
    """Ctrl-C while waiting; the job goes on."""

    exit_code = INTERRUPTED


def failure_of(error: Exception) -> CommandError | None:
    """Turn the platform's own errors into the failure of a command; return None for an unexpected error."""
    match error:
        case CommandError():
            return error
        case PermanentError():
            limit = f" (limit: {error.limit})" if error.limit else ""
            return CommandError(f"{error.message}{limit}", error.cure)
        case TransientError():
            return NotRunningError(str(error), "is the platform running? see: dragoman status")
        case FatalError():
            return CommandError(str(error))
    return None

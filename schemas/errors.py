"""The whole error tree. The branch alone decides what happens, so one loop can handle every error.

DragomanError
├── PermanentError   this input can never work        -> dead letter, go on
├── TransientError   it may work later                -> retry after a pause
└── FatalError       this process must not go on      -> exit, be restarted
"""

# The exit code of a process that a DragomanError ended.
FATAL_EXIT_CODE = 70

# A message may quote what was sent, and a dead letter must stay small whatever that was.
_LONGEST_QUOTE = 1000


class DragomanError(Exception):
    """Any failure that Dragoman raises itself."""


class PermanentError(DragomanError):
    """Bad input. Names what is wrong: `cause` (a stable code), the field, the limit and the cure.

    Message, limit and cure are cut after 1000 characters.
    """

    def __init__(
        self,
        cause: str,
        message: str,
        *,
        field: str | None = None,
        limit: str | None = None,
        cure: str | None = None,
    ) -> None:
        super().__init__(message[:_LONGEST_QUOTE])
        self.cause = cause
        self.message = message[:_LONGEST_QUOTE]
        self.field = field
        self.limit = limit and limit[:_LONGEST_QUOTE]
        self.cure = cure and cure[:_LONGEST_QUOTE]


class DecodeError(PermanentError):
    """Bytes that are no message of ours."""

    def __init__(
        self, message: str, *, cure: str = "encode with schemas/avro or a released version of it"
    ) -> None:
        super().__init__("undecodable", message, cure=cure)


class TransientError(DragomanError):
    """A dependency is unreachable or overloaded; the same input may succeed after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class FatalError(DragomanError):
    """Misconfigured, fenced or out of sync: exit so that a fresh process takes over."""

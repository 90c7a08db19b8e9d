"""The refusals of a caller: not known, or not allowed."""

from schemas.errors import PermanentError

_SHOW_A_KEY = "send the header Authorization: Bearer KEY; `dragoman keys create` makes a key"


class UnauthenticatedError(PermanentError):
    """Nobody knows who is asking."""

    def __init__(self, cause: str, message: str, cure: str = _SHOW_A_KEY) -> None:
        super().__init__(cause, message, field="Authorization", cure=cure)


class ForbiddenError(PermanentError):
    """It is known who is asking, and they may not."""

"""Refuses a body that is too large before it is in memory, with a problem instead of plain text."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producers.http.problems import BodyTooLarge

_MOST_DIGITS = 15


def announced_bytes(request: Request) -> int | None:
    """The Content-Length; None where there is none, or none that can be read."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return None
    # Digits without end are no number for int(), and far too much in any case.
    return int(length) if len(length) <= _MOST_DIGITS else 10**_MOST_DIGITS


class BodyLimit:
    """Counts what arrives; a Content-Length is believed when it says too much, never when it says little."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on to the application with a counting `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = announced_bytes(Request(scope)) or 0
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if max(received, announced) > self._max_body_bytes:
                raise BodyTooLarge(self._max_body_bytes)
            return message

        await self._app(scope, counted, send)

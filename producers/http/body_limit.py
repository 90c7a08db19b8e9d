"""Refuses a body that is too large before it is in memory, with a problem instead of plain text."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producers.http.problems import BodyTooLarge


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
        length = Request(scope).headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else 0
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if max(received, announced) > self._max_body_bytes:
                raise BodyTooLarge(self._max_body_bytes)
            return message

        await self._app(scope, counted, send)

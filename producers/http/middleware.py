"""Refuses a body that is too large before it is in memory, with a problem instead of plain text.

Bounds the memory of this process: so many submissions, and so many bytes of them, at a time.

A submission is open from its first byte to its answer, its wait for Kafka's acknowledgement included.

Counts and times every answer by its route.
"""

from time import perf_counter

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.telemetry.metrics import HTTP_REFUSALS, HTTP_REQUESTS, HTTP_SECONDS, OPEN_SUBMISSION_BYTES
from producers.http.problems import BodyTooLarge, OverloadedError, overloaded_response
from producers.http.settings import HttpLimits

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


_RETRY_AFTER_SECONDS = 1


class OpenSubmissions:
    """Around the application. Refuses a POST before it reads its body, and nothing else."""

    def __init__(self, app: ASGIApp, limits: HttpLimits) -> None:
        self._app = app
        self._limits = limits
        self._count = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on, or answers 503 at once."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        size = _size_of(request, self._limits.max_body_bytes)
        if full := self._exceeded(size):
            HTTP_REFUSALS.labels("open_requests", "unknown").inc()
            await overloaded_response(request, OverloadedError(full, _RETRY_AFTER_SECONDS))(scope, receive, send)
            return
        self._add(1, size)
        try:
            await self._app(scope, receive, send)
        finally:
            self._add(-1, -size)

    def _exceeded(self, size: int) -> str:
        if self._count >= self._limits.max_open_requests:
            return f"{self._count} submissions are open in this process, as many as may be"
        # A body that is larger than all together may be gets its turn when it is alone.
        if self._count and self._bytes + size > self._limits.max_open_bytes:
            return f"submissions of {self._bytes} bytes are open in this process, {size} more are too many"
        return ""

    def _add(self, count: int, size: int) -> None:
        self._count += count
        self._bytes += size
        OPEN_SUBMISSION_BYTES.set(self._bytes)


def _size_of(request: Request, max_body_bytes: int) -> int:
    """As announced; the most that BodyLimit lets pass where nothing is."""
    announced = announced_bytes(request)
    return max_body_bytes if announced is None else min(announced, max_body_bytes)


class RequestMetrics:
    """Around the whole application, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Looks at the status as it passes by."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # The template, not the path: ids would make a series each.
            route = getattr(scope.get("route"), "path", "unknown")
            HTTP_REQUESTS.labels(scope["method"], route, str(status)).inc()
            HTTP_SECONDS.labels(route).observe(perf_counter() - started)

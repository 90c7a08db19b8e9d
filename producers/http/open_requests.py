"""Bounds the memory of this process: so many submissions, and so many bytes of them, at a time.

A submission is open from its first byte to its answer, its wait for Kafka's acknowledgement included.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.telemetry.metrics import HTTP_REFUSALS, OPEN_SUBMISSION_BYTES
from producers.http.body_limit import announced_bytes
from producers.http.problems import OverloadedError, overloaded_response
from producers.http.settings import HttpLimits

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

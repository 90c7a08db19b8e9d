"""Wrap the application: bound one body, bound all open submissions together, and count every answer.

The bounds protect the memory of this process, so both refuse before a body is read. A submission is open from
its first byte to its answer, its wait for Kafka's acknowledgement included.
"""

from collections.abc import Callable, Mapping, Set
from functools import lru_cache
from time import perf_counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.telemetry.metrics import HTTP_REFUSALS, HTTP_REQUESTS, HTTP_SECONDS, OPEN_SUBMISSION_BYTES
from producers.http.errors import BodyTooLarge, OverloadedError
from producers.http.problems import overloaded_response
from producers.http.settings import HttpLimits
from schemas.records import TRACE_HEADER, Headers
from schemas.traces import exemplar_of

# Looking a series up costs more than counting.
_requests_of = lru_cache(maxsize=1000)(HTTP_REQUESTS.labels)
_seconds_of = lru_cache(maxsize=1000)(HTTP_SECONDS.labels)

# Those whose bodies may be large.
COUNTED_METHODS = frozenset({"POST", "PUT", "PATCH"})
_MOST_DIGITS = 15
_TRACE = TRACE_HEADER.encode()
_RELEASE = "release_submission"
_RETRY_AFTER_SECONDS = 1


class BodyLimit:
    """Refuses a body that is too large: at once by its Content-Length, or as soon as too much has arrived."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, by_path: Mapping[str, int] | None = None) -> None:
        """Take the limit of all paths but those with one of their own."""
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._by_path = by_path or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a `receive` that counts bytes and raises BodyTooLarge."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _announced_bytes(scope) or 0
        most = self._by_path.get(scope["path"], self._max_body_bytes)
        received = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if max(received, announced) > most:
                raise BodyTooLarge(most)
            return message

        await self._app(scope, counting_receive, send)


class _Once:
    """Calls something once, however often it is called itself."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call:
            call()


def submission_is_stored(request: Request) -> None:
    """Count this submission as open no longer: Kafka has it, and its caller only waits for the result."""
    request.scope["state"][_RELEASE]()


class OpenSubmissions:
    """Refuses a POST, PUT or PATCH, before its body is read, while too many of them or of their bytes are open."""

    def __init__(
        self,
        app: ASGIApp,
        limits: HttpLimits,
        streamed: Set[str] = frozenset(),
        refusal: Callable[[Request, OverloadedError], Response] = overloaded_response,
    ) -> None:
        """Take the limits, the paths whose bodies are streamed to disk, and how a refusal is answered."""
        self._app = app
        self._refusal = refusal
        self._limits = limits
        self._streamed = streamed
        self._count = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or answer 503."""
        if scope["type"] != "http" or scope["method"] not in COUNTED_METHODS:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        size = 0 if scope["path"] in self._streamed else _size_of(request, self._limits.max_body_bytes)
        if full := self._exceeded(size):
            HTTP_REFUSALS.labels("open_requests", "unknown").inc()
            await self._refusal(request, OverloadedError(full, _RETRY_AFTER_SECONDS))(scope, receive, send)
            return
        self._add(1, size)
        release = _Once(lambda: self._add(-1, -size))
        scope["state"] = {**scope.get("state", {}), _RELEASE: release}
        try:
            await self._app(scope, receive, send)
        finally:
            release()

    def _exceeded(self, size: int) -> str:
        if self._count >= self._limits.max_open_requests:
            return f"{self._count} submissions are open in this process, which is the limit"
        # A body larger than the limit of all bodies gets its turn when no other is open.
        if self._count and self._bytes + size > self._limits.max_open_bytes:
            return f"submissions of {self._bytes} bytes are open in this process, {size} more are too many"
        return ""

    def _add(self, count: int, size: int) -> None:
        self._count += count
        self._bytes += size
        OPEN_SUBMISSION_BYTES.set(self._bytes)


class RequestMetrics:
    """Counts and times every answer by its route, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a `send` that notes the status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, perf_counter()

        async def noting_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            # The template, not the path: ids would make a series each.
            route = getattr(scope.get("route"), "path", "unknown")
            _requests_of(scope["method"], route, str(status)).inc()
            _seconds_of(route).observe(perf_counter() - started, exemplar_of(_trace(scope)))


def _trace(scope: Scope) -> Headers:
    """Return the trace of a request, which RequestSpans may have changed meanwhile."""
    found = next((value for name, value in scope["headers"] if name == _TRACE), None)
    return {TRACE_HEADER: found} if found else {}


def _announced_bytes(scope: Scope) -> int | None:
    """Return the Content-Length; None where there is none, or none that is a number."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if not length.isdigit():
        return None
    # int() refuses numbers of thousands of digits; any number this long is far too much.
    return int(length) if len(length) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _size_of(request: Request, max_body_bytes: int) -> int:
    # A body of unknown length, or compressed, counts as the longest that may be read.
    announced = _announced_bytes(request.scope)
    if announced is None or "content-encoding" in request.headers:
        return max_body_bytes
    return min(announced, max_body_bytes)

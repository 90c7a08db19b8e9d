"""What a tracer is, and the one that records nothing.

A tracer answers with a span for each `traceparent` that it is shown. Where the trace is not recorded, the span
only passes the header on: what comes after belongs to the same trace, whoever records it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class SpanKind(StrEnum):
    """What a span stands for, as OpenTelemetry defines it."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    INTERNAL = "internal"


class About(StrEnum):
    """What a span may say. No text of a request is among it, and nothing else is accepted."""

    TENANT = "dragoman.tenant"
    REQUEST_ID = "dragoman.request_id"
    PRIORITY = "dragoman.priority"
    SOURCE = "dragoman.source_language"
    TARGET = "dragoman.target_language"
    BATCH = "dragoman.batch_number"
    BATCHES = "dragoman.batches"
    SEGMENTS = "dragoman.segments"
    WORDS = "dragoman.words"
    CACHED_SEGMENTS = "dragoman.cached_segments"
    CACHED_WORDS = "dragoman.cached_words"
    FAILED_SEGMENTS = "dragoman.failed_segments"
    ENGINE = "dragoman.engine"
    ENGINE_SECONDS = "dragoman.engine_seconds"
    QUEUE_SECONDS = "dragoman.queue_seconds"
    OUTCOME = "dragoman.outcome"
    CAUSE = "error.type"
    STATUS = "dragoman.status"
    VERSION = "dragoman.version"
    ATTEMPT = "dragoman.attempt"
    WEBHOOK_ID = "dragoman.webhook_id"
    METHOD = "http.request.method"
    ROUTE = "http.route"
    STATUS_CODE = "http.response.status_code"


Facts = Mapping[About, str | int | float]


class Span(Protocol):
    """A piece of work under way."""

    @property
    def header(self) -> bytes:
        """Return the `traceparent` of what this work leads to; empty where there is no trace."""

    @property
    def is_recorded(self) -> bool:
        """Tell whether anybody will see it."""

    def say(self, facts: Facts) -> None:
        """Add facts; later ones replace earlier ones of the same name."""

    def end(self, error: str = "") -> None:
        """End it now, with the cause of an error. Never blocks or raises; a second call does nothing."""


class Tracer(Protocol):
    """Begins spans. Thread-safe; no call blocks or raises."""

    @property
    def is_on(self) -> bool:
        """Tell whether it records anything, so that nobody prepares what it would drop."""

    def start(
        self,
        name: str,
        parent: bytes = b"",
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        since_ns: int | None = None,
        links: Sequence[bytes] = (),
    ) -> Span:
        """Begin a span below the one that `parent` (a traceparent) names; without one it begins a trace.

        It began at `since_ns` (nanoseconds since the epoch), or now. `links` name spans that it belongs to as
        well; a trace that begins with links is recorded whatever the ratio.
        """

    def close(self) -> None:
        """Send what is left, for a bounded time."""


@dataclass(frozen=True)
class PassingSpan:
    """Records nothing, and passes the header on."""

    header: bytes = b""
    is_recorded: bool = False

    def say(self, facts: Facts) -> None:
        """Do nothing."""

    def end(self, error: str = "") -> None:
        """Do nothing."""


@dataclass(frozen=True)
class NoTracer:
    """Records nothing."""

    is_on: bool = False

    def start(  # a protocol's method
        self,
        name: str,  # noqa: ARG002  # a protocol's parameter, as are the next
        parent: bytes = b"",
        kind: SpanKind = SpanKind.INTERNAL,  # noqa: ARG002
        *,
        since_ns: int | None = None,  # noqa: ARG002
        links: Sequence[bytes] = (),  # noqa: ARG002
    ) -> Span:
        """Return a span that passes the parent on."""
        return PassingSpan(parent)

    def close(self) -> None:
        """Do nothing."""


NO_TRACER = NoTracer()

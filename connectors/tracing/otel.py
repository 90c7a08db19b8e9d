"""A tracer on OpenTelemetry's SDK: spans wait in a bounded queue, and a thread sends them by OTLP over HTTP.

Only a trace that is recorded costs anything: an unrecorded one, by the flag of its `traceparent` or by the ratio,
never reaches the SDK. A collector that is away costs a count (`dragoman_spans`) and one line in the log.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanKind as OtelKind

from connectors.telemetry.metrics import SPANS
from connectors.tracing.settings import TracingSettings
from connectors.tracing.spans import Facts, PassingSpan, Span, SpanKind
from schemas.traces import TraceParent, parse_traceparent

log = structlog.get_logger()

_KINDS = {kind: OtelKind[kind.name] for kind in SpanKind}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_NO_ERROR = Status()
_SCOPE = InstrumentationScope("dragoman")
_BATCH_SPANS = 512
# A process has 30 s to stop, and other things to do in it.
_CLOSE_SECONDS = 3.0


class CountingExporter(SpanExporter):
    """Counts what an exporter does, and logs when it begins to fail and when it works again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False
        self.settled = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them. Blocks the sender's thread for the time-out at most."""
        try:
            result = self._exporter.export(spans)
        except Exception:  # what cannot be encoded; uncounted it would take the queue's room for ever
            result = SpanExportResult.FAILURE
        is_sent = result is SpanExportResult.SUCCESS
        SPANS.labels("exported" if is_sent else "failed").inc(len(spans))
        self.settled += len(spans)
        if self._fails is is_sent:
            self._fails = not is_sent
            if is_sent:
                log.warning("spans_sent_again", spans=len(spans))
            else:
                cure = "see whether the collector at DRAGOMAN_TRACING_ENDPOINT runs; nothing else waits for it"
                log.warning("spans_not_sent", spans=len(spans), cure=cure)
        return result

    def shutdown(self) -> None:
        """Send nothing any more."""
        self._exporter.shutdown()


class BoundedProcessor(SpanProcessor):
    """Hands ended spans to the queue of the SDK while it has room; drops and counts them otherwise."""

    def __init__(self, exporter: CountingExporter, settings: TracingSettings) -> None:
        self._exporter = exporter
        self._room = settings.queue_spans
        self._taken = 0
        self._lock = threading.Lock()
        self._queue = BatchSpanProcessor(
            exporter,
            max_queue_size=settings.queue_spans,
            schedule_delay_millis=settings.send_seconds * 1000,
            max_export_batch_size=min(_BATCH_SPANS, settings.queue_spans),
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Queue it. Never blocks."""
        with self._lock:
            has_room = self._taken - self._exporter.settled < self._room
            self._taken += has_room
        if has_room:
            self._queue.on_end(span)
        else:
            SPANS.labels("dropped").inc()

    def shutdown(self) -> None:
        """Send what is queued."""
        self._queue.shutdown()  # type: ignore[no-untyped-call]  # of the SDK


class OneResource(Resource):
    """What the process is. The encoder groups spans by it and hashes it for each, as JSON: once is enough."""

    _hash: int | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = super().__hash__()
        return self._hash


@dataclass(eq=False)
class RecordedSpan:
    """A span under way; the SDK gets it when it ends.

    The SDK's own span has a lock, a sampler, limits and events, which none of ours needs, and costs 90 us where
    this costs 15. So its class of ended spans is filled here; queue, encoding and sending are the SDK's.
    """

    name: str
    kind: SpanKind
    context: SpanContext
    parent: SpanContext | None
    links: Sequence[Link]
    since_ns: int
    tracer: "OtelTracer"
    header: bytes = field(init=False)
    is_recorded: bool = True
    _facts: dict[str, str | int | float] = field(default_factory=dict, init=False)
    _has_ended: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.header = f"00-{self.context.trace_id:032x}-{self.context.span_id:016x}-01".encode()

    def say(self, facts: Facts) -> None:
        """Add facts."""
        self._facts.update((name.value, value) for name, value in facts.items())

    def end(self, error: str = "") -> None:
        """End it, once."""
        if not self._has_ended:
            self._has_ended = True
            self.tracer.take(self.ended(Status(StatusCode.ERROR, error) if error else _NO_ERROR))

    def ended(self, status: Status) -> ReadableSpan:
        """Return it as the SDK knows ended spans."""
        return ReadableSpan(
            self.name,
            self.context,
            self.parent,
            self.tracer.resource,
            # A copy: who says something after the end says it to nobody.
            dict(self._facts),
            links=self.links,
            kind=_KINDS[self.kind],
            status=status,
            start_time=self.since_ns,
            end_time=time.time_ns(),
            instrumentation_scope=_SCOPE,
        )


class OtelTracer:
    """Records a share of the traces that begin here, and every trace whose `traceparent` says so."""

    is_on = True

    def __init__(
        self,
        settings: TracingSettings,
        process: str,
        instance: str,
        exporter: SpanExporter | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        # Of its lines none is JSON, and each may come every second: `spans_not_sent` says it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._ratio = settings.sample_ratio
        self._chance = chance
        self.resource = OneResource({"service.name": f"dragoman-{process}", "service.instance.id": instance})
        self._processor = BoundedProcessor(CountingExporter(exporter or _exporter(settings)), settings)

    def start(
        self,
        name: str,
        parent: bytes = b"",
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        since_ns: int | None = None,
        links: Sequence[bytes] = (),
    ) -> Span:
        """Begin a span, or pass the header of an unrecorded trace on."""
        above = parse_traceparent(parent) if parent else None
        if above is None and not links and self._chance() >= self._ratio:
            return PassingSpan(_unrecorded())
        if above is not None and not above.is_sampled:
            return PassingSpan(parent)
        trace_id = int(above.trace_id, 16) if above else _random(128)
        return RecordedSpan(
            name,
            kind,
            SpanContext(trace_id, _random(64), is_remote=False, trace_flags=_SAMPLED),
            _context_of(above) if above else None,
            [Link(_context_of(found)) for one in links if (found := parse_traceparent(one))],
            time.time_ns() if since_ns is None else since_ns,
            self,
        )

    def take(self, span: ReadableSpan) -> None:
        """Queue a span that has ended. Never blocks."""
        self._processor.on_end(span)

    def close(self) -> None:
        """Send what is left, for 3 s at most."""
        # The SDK would wait for half a minute while the collector is away.
        ending = threading.Thread(target=self._processor.shutdown, name="spans-end", daemon=True)
        ending.start()
        ending.join(_CLOSE_SECONDS)


def _exporter(settings: TracingSettings) -> SpanExporter:
    return OTLPSpanExporter(
        endpoint=settings.endpoint, headers=settings.header_pairs, timeout=settings.timeout_seconds
    )


def _context_of(found: TraceParent) -> SpanContext:
    return SpanContext(
        int(found.trace_id, 16), int(found.span_id, 16), is_remote=True, trace_flags=TraceFlags(found.flags)
    )


def _unrecorded() -> bytes:
    """Return the header of a trace that nobody records, so that no later process decides anew."""
    return f"00-{_random(128):032x}-{_random(64):016x}-00".encode()


def _random(bits: int) -> int:
    # Zero is no id.
    return random.getrandbits(bits) or 1

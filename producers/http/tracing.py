"""Give each POST a span, and tell the lines of the log which trace, tenant and request they are about.

The span takes the place of the caller's `traceparent` in the headers, so all that is made of the request belongs
below it. What is bound here is on every line that is logged while the request is handled, by whatever module.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from connectors.tracing.spans import About, Span, SpanKind, Tracer
from schemas.ids import JobKey
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.records import TRACE_HEADER
from schemas.traces import parse_traceparent

CALL_SPAN, SUBMIT_SPAN = "http", "submit"
_HEADER = TRACE_HEADER.encode()


class RequestSpans:
    """Begins a span for each POST; a GET looks at a request and is no part of it."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with the span in the place of the caller's."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown = next((value for name, value in scope["headers"] if name == _HEADER), b"")
        span = self._begun(scope, shown)
        if found := parse_traceparent(span.header if span else shown):
            bind_contextvars(trace_id=found.trace_id)
        if span is None:
            await self._app(scope, receive, send)
        else:
            await self._spanned(span, scope, receive, send)

    def _begun(self, scope: Scope, shown: bytes) -> Span | None:
        if scope["method"] != "POST" or not self._tracer.is_on:
            return None
        span = self._tracer.start(CALL_SPAN, shown, SpanKind.SERVER)
        others = [pair for pair in scope["headers"] if pair[0] != _HEADER]
        scope["headers"] = [*others, (_HEADER, span.header)]
        return span

    async def _spanned(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def noting_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            span.say({About.METHOD: scope["method"], About.ROUTE: route, About.STATUS_CODE: status})
            span.end(f"status_{status}" if status >= 500 else "")


def submit_span(tracer: Tracer, traceparent: str | None, request: TranslationRequest, priority: Priority) -> Span:
    """Begin the span of one request on its way to Kafka; its languages are checked already."""
    shown = (traceparent or "").encode()
    span = tracer.start(SUBMIT_SPAN, shown if parse_traceparent(shown) else b"", SpanKind.PRODUCER)
    if span.is_recorded:
        span.say(
            {
                About.TENANT: request.tenant,
                About.REQUEST_ID: request.request_id,
                About.PRIORITY: priority.value,
                About.SOURCE: request.source_language,
                About.TARGET: request.target_language,
            }
        )
    return span


def name_in_log(key: JobKey) -> None:
    """Name the request on every line that is logged from here on while the call is handled."""
    bind_contextvars(tenant=key.tenant, request_id=key.request_id)

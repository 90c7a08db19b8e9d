"""Give every event of a handler a span: from its first look at it until its outputs are stored."""

from collections.abc import Sequence
from dataclasses import replace

from connectors.tracing.spans import About
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.records import InboundRecord, StoredAt
from stream_apps.runtime.event_processor import EventHandler, Outputs
from stream_apps.runtime.stage_spans import StageSpans


def traced(handler: EventHandler, spans: StageSpans) -> EventHandler:
    """Return the handler with spans around it; itself where nothing is recorded."""
    if not spans.is_on:
        return handler

    async def handle(records: Sequence[InboundRecord]) -> Sequence[Outputs | PermanentError]:
        return await handler.handle([spans.begin(record) for record in records])

    async def delivered(records: Sequence[InboundRecord], places: Sequence[Sequence[StoredAt]]) -> None:
        await handler.delivered(records, places)
        spans.end(record.coordinates for record in records)

    def refusal(
        record: InboundRecord, error: PermanentError, dead_letter: DeadLetter
    ) -> tuple[DeadLetter, Outputs]:
        below = spans.begin(record)
        if span := spans.of(record):
            span.say({About.OUTCOME: "refused", About.CAUSE: error.cause})
        return handler.refusal(below, error, dead_letter)

    return replace(handler, handle=handle, delivered=delivered, refusal=refusal)

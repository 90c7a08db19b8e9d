"""The spans of one stage, by the record that each is about.

`begin` returns the record with its span in the place of the one that led to it: whatever is made of this record
then belongs below the span, through `InboundRecord.trace` and with no line in the handlers. Spans are best effort:
what is in hand when a process is killed or loses its partitions is never ended, and nobody sees it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from connectors.tracing.spans import NO_TRACER, About, Facts, Span, SpanKind, Tracer
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.records import TRACE_HEADER, InboundRecord
from schemas.states import RequestKind


@dataclass
class StageSpans:
    """Thread-safe. A record that comes again goes on with its span; of too many the oldest are forgotten."""

    name: str = ""
    tracer: Tracer = NO_TRACER
    most_open: int = 20_000
    _open: OrderedDict[str, Span] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def is_on(self) -> bool:
        """Tell whether anything is recorded, so that nobody prepares facts in vain."""
        return self.tracer.is_on

    def begin(self, record: InboundRecord) -> InboundRecord:
        """Return the record below its span; as it is where nothing is recorded anywhere."""
        if not self.tracer.is_on:
            return record
        with self._lock:
            span = self._open.get(record.coordinates)
        if span is None:
            span = self.tracer.start(self.name, record.headers.get(TRACE_HEADER, b""), SpanKind.CONSUMER)
            self._keep(record, span)
        if span.header == record.headers.get(TRACE_HEADER):
            return record
        return replace(record, headers={**record.headers, TRACE_HEADER: span.header})

    def of(self, record: InboundRecord) -> Span | None:
        """Return the span under way of a record; None where it is not recorded."""
        return self._open.get(record.coordinates) if self.tracer.is_on else None

    def say(self, record: InboundRecord, facts: Facts) -> None:
        """Add facts to the span of a record."""
        if span := self.of(record):
            span.say(facts)

    def end(self, coordinates: Iterable[str]) -> None:
        """End the spans of the records with these coordinates; they are not even asked for where nothing is on."""
        if not self.tracer.is_on:
            return
        for one in coordinates:
            with self._lock:
                span = self._open.pop(one, None)
            if span:
                span.end()

    def _keep(self, record: InboundRecord, span: Span) -> None:
        """Remember the span, also one that only passes on: a repeat must not get another trace."""
        with self._lock:
            self._open[record.coordinates] = span
            if len(self._open) > self.most_open:
                self._open.popitem(last=False)


def facts_of(key: JobKey, job: Job) -> dict[About, str | int | float]:
    """Return what a span says of a request; languages and pool only where intake has found them to be known."""
    return {
        About.TENANT: key.tenant,
        About.REQUEST_ID: key.request_id,
        About.KIND: job.kind or RequestKind.TEXT,
        About.PRIORITY: job.priority,
        About.SOURCE: job.source_language,
        About.TARGET: job.target_language,
        About.POOL: job.pool,
        About.BATCHES: job.batches,
        About.WORDS: job.words,
        About.SEGMENTS: job.segments,
    }

"""The spans of one stage, by the record that each is about.

`begin` returns the record with its span in the place of the one that led to it: whatever is made of this record
then belongs below the span, through `InboundRecord.trace` and with no line in the handlers. Spans are best effort:
what is in hand when a process is killed or loses its partitions is never ended, and nobody sees it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from connectors.tracing.spans import NO_TRACER, About, Span, SpanKind, Tracer
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.records import TRACE_HEADER, InboundRecord
from schemas.traces import is_unrecorded


@dataclass
class StageSpans:
    """Thread-safe. A record that comes again goes on with its span; of too many the oldest are forgotten."""

    name: str = ""
    tracer: Tracer = NO_TRACER
    most_open: int = 10_000
    _open: OrderedDict[str, Span] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def is_on(self) -> bool:
        """Tell whether anything is ever recorded."""
        return self.tracer.is_on

    def begin(self, record: InboundRecord) -> InboundRecord:
        """Return the record below its span; as it is where its trace is not recorded."""
        if not self.tracer.is_on:
            return record
        shown = record.headers.get(TRACE_HEADER, b"")
        if is_unrecorded(shown):
            return record
        span = self.of(record) or self.tracer.start(self.name, shown, SpanKind.CONSUMER)
        if span.is_recorded:
            self._keep(record, span)
        return replace(record, headers={**record.headers, TRACE_HEADER: span.header})

    def of(self, record: InboundRecord) -> Span | None:
        """Return the recorded span under way of a record, to add facts to; None where there is none."""
        return self._open.get(record.coordinates) if self._open else None

    def end(self, coordinates: Iterable[str]) -> None:
        """End the spans of the records with these coordinates; they are not even asked for where none is open."""
        if not self._open:
            return
        for one in coordinates:
            with self._lock:
                span = self._open.pop(one, None)
            if span:
                span.end()

    def _keep(self, record: InboundRecord, span: Span) -> None:
        with self._lock:
            self._open[record.coordinates] = span
            if len(self._open) > self.most_open:
                self._open.popitem(last=False)


def facts_of(key: JobKey, job: Job) -> dict[About, str | int | float]:
    """Return what the span of a request that intake has accepted says. Few facts: each costs 10 us to send."""
    return {
        About.TENANT: key.tenant,
        About.REQUEST_ID: key.request_id,
        About.PRIORITY: job.priority,
        About.SOURCE: job.source_language,
        About.TARGET: job.target_language,
        About.WORDS: job.words,
    }

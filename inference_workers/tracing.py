"""What of a worker's work is traced: each batch by itself, and each part that the engine gets.

A part with segments of one batch is a span below that of the batch. A part of several belongs to none of them
alone: it is a trace of its own, with a link to the span of each batch.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.kafka.committing_reader import TakenRecord
from connectors.telemetry.metrics import PART_SECONDS, labelled
from connectors.tracing.spans import NO_TRACER, About, Facts, Span, Tracer
from inference_workers.answers import Effort
from inference_workers.workload import Part, PartResult
from schemas.messages import TranslatedBatch
from schemas.records import TRACE_HEADER, InboundRecord
from schemas.traces import exemplar_of
from stream_apps.runtime.stage_spans import StageSpans, facts_of

BATCH_SPAN, PART_SPAN = "worker", "engine part"


@dataclass
class WorkSpans:
    """The spans of batches and parts. For one thread."""

    tracer: Tracer = NO_TRACER
    most_open: int = 10_000
    batches: StageSpans = field(init=False)

    def __post_init__(self) -> None:
        self.batches = StageSpans(BATCH_SPAN, self.tracer, self.most_open)

    def begun(self, taken: TakenRecord) -> TakenRecord:
        """Return the record below its span."""
        return taken._replace(record=self.batches.begin(taken.record)) if self.tracer.is_on else taken

    def answered(self, record: InboundRecord, done: TranslatedBatch, effort: Effort) -> None:
        """End the span of a batch, whose outputs are about to be sent."""
        if span := self.batches.of(record):
            span.say(batch_facts(done, effort))
            self.batches.end([record.coordinates])

    def part_done(self, part: Part, records: Sequence[TakenRecord], result: PartResult, pool: str) -> None:
        """Measure a part that the engine has just finished; `records` are those of its workload."""
        recorded = self._recorded(part, records) if self.tracer.is_on else []
        exemplar = exemplar_of({TRACE_HEADER: recorded[0].header}) if recorded else None
        labelled(PART_SECONDS, pool).observe(result.seconds, exemplar)
        if recorded:
            self._part(recorded, part, result)

    def _recorded(self, part: Part, records: Sequence[TakenRecord]) -> list[Span]:
        numbers = sorted({index.batch for text in part.texts for index in text.indexes})
        found = [self.batches.of(records[number].record) for number in numbers]
        return [span for span in found if span]

    def _part(self, recorded: Sequence[Span], part: Part, result: PartResult) -> None:
        since_ns = time.time_ns() - round(result.seconds * 1e9)
        headers = [span.header for span in recorded]
        parent, links = (headers[0], ()) if len(headers) == 1 else (b"", headers)
        span = self.tracer.start(PART_SPAN, parent, since_ns=since_ns, links=links)
        context = part.line.context
        span.say(
            {
                About.ENGINE: part.model,
                About.SOURCE: context.source,
                About.TARGET: context.target,
                About.SEGMENTS: len(part.texts),
                About.WORDS: part.words,
                About.ENGINE_SECONDS: result.seconds,
            }
        )
        span.end(result.refusal or "")


def batch_facts(done: TranslatedBatch, effort: Effort) -> Facts:
    """Return what the span of a batch says."""
    failed = sum(cause is not None for cause in done.causes)
    return {
        **facts_of(done.key, done.job),
        **({About.FAILED_SEGMENTS: failed} if failed else {}),
        About.BATCH: done.batch_number,
        About.SEGMENTS: len(done.causes),
        About.WORDS: done.source_words,
        About.CACHED_WORDS: done.cached_words,
        About.ENGINE: done.model,
        About.ENGINE_SECONDS: effort.busy_ms / 1000,
        About.QUEUE_SECONDS: effort.queue_ms / 1000,
    }

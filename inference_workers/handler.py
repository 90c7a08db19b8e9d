"""Handle one cycle of a worker: records in; translations, usage, progress and dead letters out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.telemetry import metrics
from inference_workers.answers import (
    Effort,
    SegmentAnswer,
    WorkerIdentity,
    segment_dead_letters,
    translated_batch,
    usage_event,
)
from inference_workers.batching import check_batch, pair_of
from inference_workers.priority_source import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.events import UsageBatch
from schemas.messages import Message, SegmentBatch, TranslatedBatch
from schemas.records import Headers, InboundRecord, OutboundRecord
from schemas.segments import Remembered
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.pipeline.stores import TranslationMemory
from stream_apps.runtime.dead_letters import DeadLetterWriter


class ReceivedBatch(NamedTuple):
    """A batch that was read, with its record."""

    record: InboundRecord
    batch: SegmentBatch


@dataclass
class BatchHandler:
    """Implements stream_apps.runtime.transactional_processor.RecordHandler. For one thread."""

    codec: Codec
    skip_policy: SkipPolicy
    segments: SegmentTranslator
    memory: TranslationMemory
    identity: WorkerIdentity
    speed: Speedometer
    now_ms: Callable[[], int]
    dead_letters: DeadLetterWriter
    max_message_bytes: int = 2_000_000
    _learnt: dict[str, Remembered] = field(default_factory=dict, init=False)

    def handle(self, records: list[InboundRecord]) -> list[OutboundRecord]:
        """Return all outputs of the records. Blocks while the engine works.

        Raises TransientError or FatalError.
        """
        decoded, outputs = self._decode(records)
        wanted = self._wanted(decoded)
        done = self.segments.translate([received.batch for received in wanted])
        self._learnt = done.learnt
        for (record, batch), answers, model, seconds in zip(
            wanted, done.answers, done.models, done.busy_seconds, strict=True
        ):
            queue_ms = max(self.now_ms() - batch.job.accepted_at - seconds * 1000, 0.0)
            machine = self.identity
            effort = Effort(model, seconds * 1000, queue_ms, self.now_ms(), machine.device, machine.market)
            outputs += self._outputs(record, batch, answers, effort)
        self._measure([received.batch for received in wanted], sum(done.busy_seconds))
        return outputs

    def committed(self) -> None:
        """Put what was learnt into the memory. Losing it costs a second translation, nothing else."""
        self.memory.put_many(self._learnt)
        self._learnt = {}

    def _decode(self, records: Sequence[InboundRecord]) -> tuple[list[ReceivedBatch], list[OutboundRecord]]:
        decoded: list[ReceivedBatch] = []
        refused: list[OutboundRecord] = []
        for record in records:
            try:
                decoded.append(ReceivedBatch(record, self._checked(record)))
            except PermanentError as error:
                refused.append(self.dead_letters.record_of(self.dead_letters.dead_letter_of(record, error)))
        return decoded, refused

    def _checked(self, record: InboundRecord) -> SegmentBatch:
        batch = self.codec.decode(record.value, SegmentBatch)
        check_batch(batch)
        return batch

    def _wanted(self, decoded: Sequence[ReceivedBatch]) -> list[ReceivedBatch]:
        """Return those whose answer is still wanted. Of the others the offsets are committed, nothing else."""
        reasons = self.skip_policy.reasons_to_skip([received.batch for received in decoded], self.now_ms())
        for received, reason in zip(decoded, reasons, strict=True):
            if reason:
                metrics.BATCHES_SKIPPED.labels(self.identity.pool, received.batch.job.priority, reason).inc()
        return [received for received, reason in zip(decoded, reasons, strict=True) if not reason]

    def _outputs(
        self, record: InboundRecord, batch: SegmentBatch, answers: list[SegmentAnswer], effort: Effort
    ) -> list[OutboundRecord]:
        done = self._fitted(batch, answers, effort)
        key = batch.key
        usage = usage_event(record, done, batch, effort, self.identity)
        self._count(batch, answers, done.model)
        return [
            self._record(topics.TRANSLATED, key.encode(), done, record.trace),
            self._record(topics.USAGE, None, UsageBatch([usage])),
            *map(self.dead_letters.record_of, segment_dead_letters(record, done, effort.now_ms)),
        ]

    def _fitted(self, batch: SegmentBatch, answers: list[SegmentAnswer], effort: Effort) -> TranslatedBatch:
        """Return the translated batch, every segment a hole if it would be too large for Kafka."""
        done = translated_batch(batch, answers, effort)
        if len(self.codec.encode(done)) + ENVELOPE_BYTES <= self.max_message_bytes:
            return done
        holes = [SegmentAnswer(text, None, cached=False, cause="translation_too_large") for text in batch.texts]
        return translated_batch(batch, holes, effort)

    def _record(
        self, topic: str, key: bytes | None, message: Message, headers: Headers | None = None
    ) -> OutboundRecord:
        return OutboundRecord(topic, key, self.codec.encode(message), headers or {})

    def _count(self, batch: SegmentBatch, answers: Sequence[SegmentAnswer], model: str) -> None:
        pool, priority = self.identity.pool, batch.job.priority
        for answer in answers:
            outcome = "failed" if answer.cause else "cached" if answer.cached else "translated"
            metrics.SEGMENTS_TRANSLATED.labels(pool, priority, outcome).inc()
        # Without a model the pair may be any text that a client sent, and labels must stay few.
        pair = str(pair_of(batch)) if model else "unserved"
        metrics.WORDS_TRANSLATED.labels(pool, priority, pair).inc(batch.source_words)

    def _measure(self, batches: Sequence[SegmentBatch], busy_seconds: float) -> None:
        self.speed.add(sum(batch.source_words for batch in batches), busy_seconds)
        metrics.ENGINE_BUSY_SECONDS.labels(self.identity.pool).inc(busy_seconds)
        metrics.ENGINE_WORDS_PER_SECOND.labels(self.identity.pool).set(self.speed.words_per_second)

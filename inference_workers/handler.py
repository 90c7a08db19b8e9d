"""Turn records into open batches, and answered batches into translations, dead letters and usage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from connectors.kafka.commit_tracker import Ticket
from connectors.kafka.committing_reader import TakenRecord
from connectors.telemetry import metrics
from connectors.telemetry.metrics import labelled
from inference_workers.answers import (
    ComputeUsage,
    Effort,
    SegmentAnswer,
    WorkerIdentity,
    segment_dead_letters,
    translated_batch,
)
from inference_workers.batching import check_batch, pair_of
from inference_workers.priority_credit import Speedometer
from inference_workers.tracing import WorkSpans
from inference_workers.translating import SegmentTranslator
from inference_workers.workload import OpenBatch, Workload
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.events import UsageBatch
from schemas.messages import SegmentBatch, TranslatedBatch
from schemas.records import InboundRecord, OutboundRecord
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.pipeline.output_records import translated_record
from stream_apps.runtime.dead_letters import DeadLetterWriter

log = structlog.get_logger()

# Far below what Kafka takes in one record.
_ROWS_IN_A_RECORD = 1000


class Ended(NamedTuple):
    """A record without work: refused, with its dead letter, or not wanted any more."""

    ticket: Ticket
    outputs: Sequence[OutboundRecord]


@dataclass
class OpenedRecords:
    """Records that were taken together: those to translate, parallel to the batches of `workload`, and others."""

    workload: Workload
    records: list[TakenRecord]
    ended: list[Ended]


class _Decoded(NamedTuple):
    taken: TakenRecord
    batch: SegmentBatch


@dataclass
class BatchHandler:
    """What a worker does with its records, apart from the order in which it does it. For one thread."""

    codec: Codec
    skip_policy: SkipPolicy
    segments: SegmentTranslator
    identity: WorkerIdentity
    speed: Speedometer
    now_ms: Callable[[], int]
    dead_letters: DeadLetterWriter
    max_message_bytes: int = 2_000_000
    spans: WorkSpans = field(default_factory=WorkSpans)
    _usage: ComputeUsage = field(init=False)
    _words: int = field(default=0, init=False)
    _busy_seconds: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._usage = ComputeUsage(self.identity)

    def open(self, taken: Sequence[TakenRecord]) -> OpenedRecords:
        """Decode the records, leave out what nobody waits for, recall what is known. Two round trips at most."""
        decoded, ended = self._decode(taken)
        wanted, skipped = self._divide(decoded)
        workload = self.segments.open([one.batch for one in wanted])
        return OpenedRecords(workload, [self.spans.begun(one.taken) for one in wanted], ended + skipped)

    def outputs(self, record: InboundRecord, done: OpenBatch) -> list[OutboundRecord]:
        """Return the translation of a batch that has all its answers, and a dead letter for each hole."""
        batch, answers, now_ms = done.batch, done.complete(), self.now_ms()
        busy_ms = done.busy_seconds * 1000
        queue_ms = max(now_ms - batch.job.accepted_at - busy_ms, 0.0)
        effort = Effort(done.model, busy_ms, queue_ms, now_ms, self.identity.device, self.identity.market)
        translated, value = self._fitted(batch, answers, effort)
        self._usage.add(translated, batch, effort)
        self._count(done, translated)
        self.spans.answered(record, translated, effort)
        log.debug("batch_translated", job=batch.key, record=record, batch_number=batch.batch_number)
        return [
            translated_record(translated, value, record),
            *map(self.dead_letters.record_of, segment_dead_letters(record, translated, now_ms)),
        ]

    def usage_records(self) -> list[OutboundRecord]:
        """Return the usage of everything that was answered since the last call, and learn the speed from it."""
        self.speed.add(self._words, self._busy_seconds)
        metrics.ENGINE_BUSY_SECONDS.labels(self.identity.pool).inc(self._busy_seconds)
        metrics.ENGINE_WORDS_PER_SECOND.labels(self.identity.pool).set(self.speed.words_per_second)
        self._words, self._busy_seconds = 0, 0.0
        rows = self._usage.take()
        parts = [rows[at : at + _ROWS_IN_A_RECORD] for at in range(0, len(rows), _ROWS_IN_A_RECORD)]
        return [OutboundRecord(topics.USAGE, None, self.codec.encode(UsageBatch(part))) for part in parts]

    def _decode(self, records: Sequence[TakenRecord]) -> tuple[list[_Decoded], list[Ended]]:
        decoded: list[_Decoded] = []
        refused: list[Ended] = []
        for taken in records:
            try:
                decoded.append(_Decoded(taken, self._checked(taken.record)))
            except PermanentError as error:
                dead_letter = self.dead_letters.dead_letter_of(taken.record, error)
                refused.append(Ended(taken.ticket, [self.dead_letters.record_of(dead_letter)]))
        return decoded, refused

    def _checked(self, record: InboundRecord) -> SegmentBatch:
        batch = self.codec.decode(record.value, SegmentBatch)
        check_batch(batch)
        return batch

    def _divide(self, decoded: Sequence[_Decoded]) -> tuple[list[_Decoded], list[Ended]]:
        """Return those whose answer is still wanted, and the others, which end without an output."""
        reasons = self.skip_policy.reasons_to_skip([one.batch for one in decoded], self.now_ms())
        wanted: list[_Decoded] = []
        skipped: list[Ended] = []
        for one, reason in zip(decoded, reasons, strict=True):
            if reason:
                metrics.BATCHES_SKIPPED.labels(self.identity.pool, one.batch.job.priority, reason).inc()
                skipped.append(Ended(one.taken.ticket, []))
            else:
                wanted.append(one)
        return wanted, skipped

    def _fitted(
        self, batch: SegmentBatch, answers: list[SegmentAnswer], effort: Effort
    ) -> tuple[TranslatedBatch, bytes]:
        """Return the translated batch, every segment a hole if it would be too large for Kafka, and its bytes."""
        done = translated_batch(batch, answers, effort)
        value = self.codec.encode(done)
        if len(value) + ENVELOPE_BYTES <= self.max_message_bytes:
            return done, value
        holes = [SegmentAnswer(text, None, cached=False, cause="translation_too_large") for text in batch.texts]
        done = translated_batch(batch, holes, effort)
        return done, self.codec.encode(done)

    def _count(self, done: OpenBatch, translated: TranslatedBatch) -> None:
        batch, pool = done.batch, self.identity.pool
        self._words += batch.source_words
        self._busy_seconds += done.busy_seconds
        failed, cached = sum(cause is not None for cause in translated.causes), sum(translated.cached)
        counts = {"failed": failed, "cached": cached, "translated": len(translated.causes) - failed - cached}
        for outcome, count in counts.items():
            if count:
                labelled(metrics.SEGMENTS_TRANSLATED, pool, batch.job.priority, outcome).inc(count)
        # Without a model the pair may be any text that a client sent, and labels must stay few.
        pair = str(pair_of(batch)) if translated.model else "unserved"
        labelled(metrics.WORDS_TRANSLATED, pool, batch.job.priority, pair).inc(batch.source_words)

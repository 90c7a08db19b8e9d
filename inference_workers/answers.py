"""Make the outputs of a batch: its translation, its dead letters, its share of the usage. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from inference_workers.batching import pair_of
from schemas.dead_letters import about_request, about_segments, dead_letter_of
from schemas.errors import PermanentError
from schemas.events import DeadLetter, UsageEvent
from schemas.ids import event_id
from schemas.messages import SegmentBatch, TranslatedBatch
from schemas.priorities import SLA_SECONDS, Priority
from schemas.records import InboundRecord
from schemas.segments import count_words
from schemas.states import UsageKind
from stream_apps.pipeline.finishing import BROKEN_MESSAGE, finished

STAGE = "inference"

# By the cause of a hole: what happened, which limit was met, and what to do about it.
_HINTS: Mapping[str, tuple[str, str | None, str]] = {
    "bad_options": (
        "the engine's options are none that it knows",
        "engine_options.beam_size: a whole number from 1 to 16; .placeholder_pattern: a pattern of RE2",
        "send the request again with other options",
    ),
    BROKEN_MESSAGE: (
        "the translation lost an argument or the number of its message (ICU, gettext)",
        None,
        "redrive with another model",
    ),
    "engine_error": (
        "the engine failed on this segment alone and goes on with others",
        None,
        "redrive with another model; the worker's log has the engine's words: engine_failed",
    ),
    "out_of_memory": (
        "the segment alone does not fit into the device's memory",
        None,
        "redrive where a worker has more memory",
    ),
    "out_of_time": (
        "the longest time for one take was over before the segment was translated",
        "DRAGOMAN_WORKER_LONGEST_TAKE_SECONDS",
        "redrive, best when the load is lower",
    ),
    "translation_too_large": (
        "the translations of the batch exceed what Kafka takes in one record",
        "DRAGOMAN_KAFKA_MAX_MESSAGE_BYTES",
        "redrive with another model, or raise the limit on brokers and processes",
    ),
    "truncated": (
        "the end of the translation is missing, however short the parts of the segment are made",
        None,
        "redrive with another model",
    ),
    "unsupported_pair": (
        "no model of the worker translates this pair",
        None,
        "redrive when the pool serves it: dragoman models list",
    ),
}
_UNUSABLE = ("the engine gave no usable translation", None, "redrive with another model")


@dataclass(frozen=True)
class WorkerIdentity:
    """Which worker did the work, and its keys in the price list."""

    worker: str
    pool: str
    device: str
    market: str


@dataclass(frozen=True)
class SegmentAnswer:
    """What a worker answers for one segment. `cause` is set where it failed; then `text` is the source.

    `warning` is set where a reader should look at the translation.
    """

    text: str
    score: float | None
    cached: bool
    cause: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Effort:
    """What a batch cost, in milliseconds, and on which machine. `busy_ms` is its part of the engine's time."""

    model: str
    busy_ms: float
    queue_ms: float
    now_ms: int
    device: str = ""
    market: str = ""


def translated_batch(batch: SegmentBatch, answers: Sequence[SegmentAnswer], effort: Effort) -> TranslatedBatch:
    """Return the batch with an answer for every segment, finished (stream_apps/pipeline/finishing.py)."""
    done = finished(batch, [answer.text for answer in answers], [answer.cause for answer in answers])
    return TranslatedBatch(
        **batch.key._asdict(),
        batch_number=batch.batch_number,
        job=batch.job,
        lead=batch.lead,
        gaps=done.gaps,
        translations=done.translations,
        causes=done.causes,
        scores=[answer.score for answer in answers],
        cached=[answer.cached for answer in answers],
        warnings=[answer.warning for answer in answers] if any(answer.warning for answer in answers) else [],
        source_words=batch.source_words,
        cached_words=sum(
            count_words(text) for text, answer in zip(batch.texts, answers, strict=True) if answer.cached
        ),
        target_words=sum(count_words(answer.text) for answer in answers),
        model=effort.model,
        device=effort.device,
        market=effort.market,
        timings={"queue": effort.queue_ms / 1000, "translate": effort.busy_ms / 1000},
        translated_at=effort.now_ms,
        numbers=batch.numbers,
        code_starts=batch.code_starts,
        code_ends=batch.code_ends,
    )


@dataclass
class ComputeUsage:
    """Adds up what a worker did for each tenant, priority, pair and model, until the rows are taken.

    Rows of the same work may come twice, after a crash: the engine ran twice then.
    """

    identity: WorkerIdentity
    _rows: dict[tuple[str, str, str, str, str], UsageEvent] = field(default_factory=dict)

    def add(self, done: TranslatedBatch, batch: SegmentBatch, effort: Effort) -> None:
        """Add a batch. Its milliseconds are sums, like the other figures."""
        pair, priority = pair_of(batch), batch.job.priority
        key = (batch.tenant, priority, pair.source, pair.target, effort.model)
        row = self._rows.get(key) or self._empty(key, effort)
        self._rows[key] = replace(
            row,
            batches=row.batches + 1,
            segments=row.segments + len(batch.texts),
            cached_segments=row.cached_segments + sum(done.cached),
            failed_segments=row.failed_segments + sum(cause is not None for cause in done.causes),
            source_words=row.source_words + batch.source_words,
            target_words=row.target_words + done.target_words,
            cached_words=row.cached_words + done.cached_words,
            source_characters=row.source_characters + sum(map(len, batch.texts)),
            target_characters=row.target_characters + sum(map(len, done.translations)),
            busy_ms=row.busy_ms + effort.busy_ms,
            queue_ms=row.queue_ms + effort.queue_ms,
            at=effort.now_ms,
        )

    def take(self) -> list[UsageEvent]:
        """Return the rows since the last call."""
        rows, self._rows = self._rows, {}
        return list(rows.values())

    def _empty(self, key: tuple[str, str, str, str, str], effort: Effort) -> UsageEvent:
        tenant, priority, source, target, model = key
        identity = self.identity
        return UsageEvent(
            event_id=event_id(UsageKind.COMPUTE, identity.worker, effort.now_ms, *key),
            kind=UsageKind.COMPUTE,
            tenant=tenant,
            priority=priority,
            source_language=source,
            target_language=target,
            model=model,
            pool=identity.pool,
            worker=identity.worker,
            device=identity.device,
            market=identity.market,
            sla_ms=SLA_SECONDS[Priority(priority)] * 1000,
        )


def segment_dead_letters(record: InboundRecord, done: TranslatedBatch, now_ms: int) -> list[DeadLetter]:
    """Return a dead letter for each hole, so that it can be translated again later."""
    dead_letters: list[DeadLetter] = []
    for cause in sorted({cause for cause in done.causes if cause}):
        dead_letter = dead_letter_of(record, _failure_of(cause), stage=STAGE, now_ms=now_ms)
        dead_letter = about_request(dead_letter, done.key)
        holes = [at for at, found in enumerate(done.causes) if found == cause]
        dead_letters += about_segments(dead_letter, done.batch_number, holes)
    return dead_letters


def _failure_of(cause: str) -> PermanentError:
    message, limit, cure = _HINTS.get(cause, _UNUSABLE)
    return PermanentError(cause, message, limit=limit, cure=cure)

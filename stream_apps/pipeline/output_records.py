"""Build the records that intake sends: batches, early answers, a refusal, an expiry. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.codec import Codec, without_schema
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.ids import JobKey, batch_id
from schemas.lanes import DEFAULT_BULK_WORDS, lane_of
from schemas.messages import Job, Message, SegmentBatch, TranslatedBatch, TranslationRequest
from schemas.priorities import Priority
from schemas.records import (
    FIRST_REVISION,
    PRIORITY_HEADER,
    InboundRecord,
    OutboundRecord,
    accepted_header,
    accepted_ms,
    redriven_revision,
)
from schemas.segments import count_words
from schemas.states import ControlAction, RequestKind
from schemas.topics import (
    CONTROL,
    TRANSLATED,
    TRANSLATED_DOCUMENTS,
    batches_topic,
    documents_topic,
    priority_of_topic,
    tenant_of_topic,
)
from schemas.units import kind_of
from stream_apps.pipeline.batching import batch_partition
from stream_apps.pipeline.callback_rule import check_callback
from stream_apps.pipeline.finishing import finished
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.request_rules import echoed_bytes


@dataclass(frozen=True)
class WireFormat:
    """How messages become records in this deployment. Requests of more than `bulk_words` go to bulk lanes."""

    codec: Codec
    batch_partitions: int = 6
    max_message_bytes: int = 2_000_000
    bulk_words: int = DEFAULT_BULK_WORDS


@dataclass(frozen=True)
class RequestContext:
    """A request, the record that carried it, and the present time in milliseconds."""

    key: JobKey
    job: Job
    record: InboundRecord
    now_ms: int


def job_of(
    request: TranslationRequest,
    record: InboundRecord,
    priority: Priority,
    limits: RequestLimits,
    fingerprint: str = "",
) -> Job:
    """Build as much of the header as the request alone tells. Echoes nothing that exceeds a limit."""
    echo = echoed_bytes(request) <= limits.max_metadata_bytes
    return Job(
        kind=kind_of(request),
        priority=str(priority),
        source_language=request.source_language[: limits.max_id_length],
        target_language=request.target_language[: limits.max_id_length],
        glossaries=[name[: limits.max_id_length] for name in request.glossaries[: limits.max_glossaries]],
        content_type=request.content_type[: limits.max_id_length],
        submitted_at=request.submitted_at,
        accepted_at=accepted_ms(record),
        deadline=request.deadline,
        metadata=dict(request.metadata) if echo else {},
        labels=dict(request.labels) if echo else {},
        callback=_callback(request, limits),
        submitted_by=request.submitted_by and request.submitted_by[: limits.max_id_length],
        revision=redriven_revision(record.headers) or FIRST_REVISION,
        fingerprint=fingerprint,
    )


def _callback(request: TranslationRequest, limits: RequestLimits) -> str | None:
    """Return where its answer is told; None also for a URL that is refused: it must not be posted to."""
    try:
        check_callback(request.callback, limits)
    except PermanentError:
        return None
    return request.callback


def batch_records(
    batches: Sequence[SegmentBatch], record: InboundRecord, wire: WireFormat
) -> list[OutboundRecord]:
    """Encode the batches, each for the partition of its number, so that many workers share one long document."""
    return [_batch_record(batch, record, wire) for batch in batches]


def early_answer_records(
    batches: Sequence[SegmentBatch], version: str, now_ms: int, record: InboundRecord, wire: WireFormat
) -> list[OutboundRecord]:
    """Encode batches that the memory knew completely as translated ones: they need no worker."""
    return [_early_answer_record(early_answer(batch, version, now_ms), record, wire) for batch in batches]


def early_answer(batch: SegmentBatch, version: str, now_ms: int) -> TranslatedBatch:
    """Answer a batch, all of whose segments are filled, as a worker would that finds them in the memory."""
    nothing = [None] * len(batch.texts)
    done = finished(batch, [translation or "" for translation in batch.translations], nothing)
    return TranslatedBatch(
        **batch.key._asdict(),
        batch_number=batch.batch_number,
        job=batch.job,
        lead=batch.lead,
        gaps=done.gaps,
        translations=done.translations,
        causes=done.causes,
        scores=batch.scores,
        warnings=batch.warnings,
        cached=[True] * len(done.translations),
        source_words=batch.source_words,
        cached_words=batch.source_words,
        # As workers count them: before markup stands in them.
        target_words=sum(count_words(translation or "") for translation in batch.translations),
        model=version,
        timings={"queue": 0.0, "translate": 0.0},
        translated_at=now_ms,
        numbers=batch.numbers,
        code_starts=batch.code_starts,
        code_ends=batch.code_ends,
    )


def translated_record(done: TranslatedBatch, value: bytes, record: InboundRecord) -> OutboundRecord:
    """Build the record of a translated batch, encoded in `value`; `record` is what it answers."""
    headers = {
        **record.trace,
        **accepted_header(done.job.accepted_at),
        PRIORITY_HEADER: done.job.priority.encode(),
    }
    topic = TRANSLATED_DOCUMENTS if done.job.kind == RequestKind.DOCUMENT else TRANSLATED
    return OutboundRecord(topic, done.key.encode(), value, headers)


def document_record(request: TranslationRequest, record: InboundRecord, wire: WireFormat) -> OutboundRecord:
    """Build the record that hands a request for a document on to extraction: the request as it came.

    One from a tenant's own topic may name no tenant; it is written again, with its tenant.
    """
    headers = record.headers | accepted_header(accepted_ms(record))
    value = record.value
    if tenant_of_topic(record.topic):
        value, headers = wire.codec.encode(request), without_schema(headers)
    return OutboundRecord(documents_topic(priority_of_topic(record.topic)), request.key.encode(), value, headers)


def refusal_record(about: RequestContext, error: PermanentError, wire: WireFormat) -> OutboundRecord:
    """Build the order that makes assembly answer the request with FAILED."""
    cure = f"; {error.cure}" if error.cure else ""
    order = JobControl(
        **about.key._asdict(),
        action=ControlAction.FAIL,
        cause=error.cause,
        message=f"{error.message}{cure}",
        field=error.field,
        requested_by="intake",
        job=about.job,
        at=about.now_ms,
    )
    return _record(CONTROL, about, order, wire)


def expiry_record(about: RequestContext, wire: WireFormat) -> OutboundRecord:
    """Build the order that makes assembly answer the request with EXPIRED, before any work was done."""
    order = JobControl(
        **about.key._asdict(),
        action=ControlAction.EXPIRE,
        cause="deadline_passed",
        message="the deadline passed before the request was read",
        field="deadline",
        requested_by="intake",
        job=about.job,
        at=about.now_ms,
    )
    return _record(CONTROL, about, order, wire)


def _batch_record(batch: SegmentBatch, record: InboundRecord, wire: WireFormat) -> OutboundRecord:
    value = wire.codec.encode(batch)
    if len(value) + ENVELOPE_BYTES > wire.max_message_bytes:
        # Remembered translations only save work; the worker can make them again.
        nothing = [None] * len(batch.texts)
        value = wire.codec.encode(replace(batch, translations=nothing, scores=nothing, warnings=()))
    job = batch.job
    return OutboundRecord(
        topic=batches_topic(job.pool, lane_of(Priority(job.priority), job.words, wire.bulk_words)),
        key=batch_id(batch.key, batch.batch_number).encode(),
        value=value,
        headers={
            **record.trace,
            "tenant": batch.tenant.encode(),
            "priority": job.priority.encode(),
            "words": str(batch.source_words).encode(),
            "schema": b"SegmentBatch",
        },
        partition=batch_partition(batch.key, batch.batch_number, wire.batch_partitions),
    )


def _early_answer_record(done: TranslatedBatch, record: InboundRecord, wire: WireFormat) -> OutboundRecord:
    return translated_record(done, wire.codec.encode(done), record)


def _record(topic: str, about: RequestContext, message: Message, wire: WireFormat) -> OutboundRecord:
    headers = {**about.record.trace, "schema": type(message).__name__.encode()}
    return OutboundRecord(topic, about.key.encode(), wire.codec.encode(message), headers)

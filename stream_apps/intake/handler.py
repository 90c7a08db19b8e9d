"""Handle one request: it is refused, recognised as a repeat, expired, or split into batches.

Works on protocols only. Any PermanentError on the way ends in `refused`: a dead letter, and an order to assembly
to answer with FAILED, so that every request that has an id is answered exactly once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from connectors.telemetry.metrics import INTAKE_SECONDS, REQUEST_SEGMENTS, REQUEST_WORDS, REQUESTS
from schemas.dead_letters import about_request
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.languages import AUTO, Language, served_as
from schemas.messages import Job, TranslationRequest
from schemas.priorities import Priority
from schemas.records import InboundRecord, OutboundRecord, redriven_revision
from schemas.segments import Remembered, context_of, normalise
from schemas.topics import priority_of_topic
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.batching import Piece, batches_of, cut, wishes_of
from stream_apps.pipeline.deadline_policy import with_deadline_policy
from stream_apps.pipeline.deduplication import RequestDeduplicator, payload_fingerprint
from stream_apps.pipeline.output_records import (
    RequestContext,
    WireFormat,
    batch_records,
    expiry_record,
    job_of,
    refusal_record,
    segmented_record,
)
from stream_apps.pipeline.request_rules import (
    RequestedLanguages,
    RequestLimits,
    check_different,
    check_identity,
    check_request,
    check_text,
)
from stream_apps.pipeline.routing import model_version, pool_of
from stream_apps.pipeline.segmentation import Split
from stream_apps.pipeline.stores import AsyncTranslationMemory, ModelVersions, ObjectStore

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """The stores and functions that intake needs. `detect` raises PermanentError; `now_ms`: since the epoch."""

    deduplicator: RequestDeduplicator
    models: ModelVersions
    memory: AsyncTranslationMemory
    objects: ObjectStore
    split: Callable[[str, str], Split]
    detect: Callable[[str], Language]
    now_ms: Callable[[], int]


@dataclass(frozen=True)
class _Accepted:
    """A request that passed all checks, with its languages, its text, and the fingerprint of its payload."""

    request: TranslationRequest
    payload: str
    record: InboundRecord
    priority: Priority
    source: Language
    target: Language
    text: str


class IntakeHandler:
    """Turns requests into outputs. `handle` raises PermanentError, or TransientError while a store is away."""

    def __init__(
        self, tools: Tools, wire: WireFormat, limits: IntakeLimits, requests: RequestLimits, pipeline_version: str
    ) -> None:
        self._tools = tools
        self._wire = wire
        self._limits = limits
        self._requests = requests
        self._cut = limits.batch
        self._version = f"{pipeline_version}-{limits.max_segments_per_batch}x{limits.max_batch_bytes}"

    async def handle(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        """Return everything to be sent for one request record."""
        priority = priority_of_topic(record.topic)
        request = self._wire.codec.decode(record.value, TranslationRequest)
        check_identity(request, self._requests)
        payload = payload_fingerprint(request)
        is_redriven = redriven_revision(record.headers) is not None
        if not is_redriven and await self._tools.deduplicator.is_repeat(request.key, payload, record):
            return self._dropped(request, priority)
        languages = check_request(request, priority, self._requests, record.timestamp_ms)
        request = with_deadline_policy(request, priority, self._limits.late)
        if request.deadline is not None and request.deadline <= self._tools.now_ms():
            return self._expired(request, record, priority)
        accepted = await self._accepted(request, payload, record, priority, languages)
        return await self._batched(accepted)

    async def delivered(self, records: Sequence[InboundRecord]) -> None:
        """Note that every output of these records is stored."""
        await self._tools.deduplicator.delivered(records)

    def refused(
        self, record: InboundRecord, error: PermanentError, dead_letter: DeadLetter
    ) -> tuple[DeadLetter, Sequence[OutboundRecord]]:
        """Name the request in the dead letter; and return the order to answer it, where it can be answered."""
        REQUESTS.labels(priority_of_topic(record.topic), "refused").inc()
        try:
            request = self._wire.codec.decode(record.value, TranslationRequest)
        except PermanentError:
            return dead_letter, ()
        if error.cause in ("bad_tenant", "bad_request_id"):
            return dead_letter, ()
        named = about_request(dead_letter, request.key)
        if error.cause == "id_reused":  # the first request of the id has an answer, or will have one
            return named, ()
        about = self._about(request, record, priority_of_topic(record.topic))
        return named, [refusal_record(about, error, self._wire)]

    def _dropped(self, request: TranslationRequest, priority: Priority) -> Sequence[OutboundRecord]:
        REQUESTS.labels(priority, "repeated").inc()
        log.info("request_repeated", key=str(request.key))
        return ()

    def _expired(
        self, request: TranslationRequest, record: InboundRecord, priority: Priority
    ) -> Sequence[OutboundRecord]:
        REQUESTS.labels(priority, "expired").inc()
        return [expiry_record(self._about(request, record, priority), self._wire)]

    def _about(self, request: TranslationRequest, record: InboundRecord, priority: Priority) -> RequestContext:
        job = job_of(request, record, priority, self._requests)
        return RequestContext(request.key, job, record, self._tools.now_ms())

    async def _accepted(
        self,
        request: TranslationRequest,
        payload: str,
        record: InboundRecord,
        priority: Priority,
        languages: RequestedLanguages,
    ) -> _Accepted:
        text = request.text if request.text is not None else await self._stored_text(request.content_ref or "")
        source = languages.source
        if source is None:
            source = await self._off_loop(text, lambda: self._tools.detect(text))
            check_different(source, languages.target)
        return _Accepted(request, payload, record, priority, source, languages.target, text)

    async def _batched(self, accepted: _Accepted) -> Sequence[OutboundRecord]:
        text, source = accepted.text, accepted.source
        pieces = await self._off_loop(text, lambda: cut(self._tools.split(text, str(source)), self._cut))
        job = self._job(accepted, pieces)
        pairs = served_as(source, accepted.target)
        version = await model_version(self._tools.models, job.pool, pairs, self._limits.pairs)
        request = accepted.request
        known = await self._look_up(version, job, pieces, request)
        batches = batches_of(request.key, job, pieces, known, wishes_of(request))
        hits = len(known) - known.count(None)
        self._count(job, hits, accepted)
        about = RequestContext(request.key, job, accepted.record, self._tools.now_ms())
        event = segmented_record(about, hits, self._wire)
        return [*batch_records(batches, accepted.record, self._wire), event]

    def _job(self, accepted: _Accepted, pieces: Sequence[Piece]) -> Job:
        words = sum(piece.words for piece in pieces)
        pairs = served_as(accepted.source, accepted.target)
        pool = pool_of(self._limits.routes, self._limits.default_pool, accepted.priority, pairs, words)
        detected = accepted.request.source_language == AUTO
        return replace(
            job_of(accepted.request, accepted.record, accepted.priority, self._requests),
            pool=pool,
            source_language=str(accepted.source),
            detected_language=str(accepted.source) if detected else None,
            target_language=str(accepted.target),
            pipeline_version=self._version,
            fingerprint=accepted.payload,
            memory_scope=self._limits.memory_scopes.get(accepted.request.tenant, ""),
            segments=sum(len(piece.texts) for piece in pieces),
            batches=len(pieces),
            words=words,
            characters=len(accepted.text),
        )

    async def _look_up(
        self, version: str | None, job: Job, pieces: Sequence[Piece], request: TranslationRequest
    ) -> list[Remembered | None]:
        if version is None:
            return [None] * job.segments
        context = context_of(request.tenant, job, request.do_not_translate, request.engine_options)
        segments = [normalise(text) for piece in pieces for text in piece.texts]
        return await self._tools.memory.get_many(context.memory_keys(version, segments))

    async def _stored_text(self, ref: str) -> str:
        text = await asyncio.to_thread(self._tools.objects.read_text, ref, self._limits.max_content_bytes)
        return check_text(text, "content_ref", self._requests)

    async def _off_loop(self, text: str, work: Callable[[], T]) -> T:
        # Long texts must not keep the other agents, and the more urgent requests, waiting.
        return work() if len(text) <= self._limits.thread_characters else await asyncio.to_thread(work)

    def _count(self, job: Job, hits: int, accepted: _Accepted) -> None:
        priority = accepted.priority
        REQUESTS.labels(priority, "accepted").inc()
        REQUEST_SEGMENTS.labels(priority, "memory").inc(hits)
        REQUEST_SEGMENTS.labels(priority, "new").inc(job.segments - hits)
        REQUEST_WORDS.labels(priority).inc(job.words)
        INTAKE_SECONDS.labels(priority).observe(max(self._tools.now_ms() - accepted.record.timestamp_ms, 0) / 1000)

"""Make what goes out for requests that are read: batches, early answers, orders to answer; and note their plans.

For intake, and for the extraction of documents, whose texts become batches in the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.telemetry.metrics import INTAKE_SECONDS, REQUEST_SEGMENTS, REQUEST_WORDS, REQUESTS, labelled
from connectors.tracing.spans import About
from schemas.errors import PermanentError
from schemas.message_parts import Document
from schemas.messages import Job, SegmentBatch
from schemas.plans import RequestPlan
from schemas.priorities import Priority
from schemas.records import FIRST_REVISION, OutboundRecord
from schemas.segments import Remembered
from schemas.traces import exemplar_of
from stream_apps.accounts.budgets import Budgets, NoBudgets
from stream_apps.intake.cutting import CutRequest, Reading, RequestCutter
from stream_apps.pipeline.batching import batches_of, wishes_of
from stream_apps.pipeline.deduplication import RequestDeduplicator
from stream_apps.pipeline.join import split_of
from stream_apps.pipeline.output_records import (
    RequestContext,
    WireFormat,
    batch_records,
    early_answer_records,
    expiry_record,
    refusal_record,
)
from stream_apps.pipeline.routing import model_version
from stream_apps.pipeline.stores import AsyncTranslationMemory, ModelVersions
from stream_apps.runtime.stage_spans import StageSpans, facts_of

log = structlog.get_logger()

Outcome = Sequence[OutboundRecord] | PermanentError


class RecordLag(Protocol):
    """What a group has still to read of one partition (connectors.kafka.group_lag.PartitionLag)."""

    @property
    def records(self) -> int: ...


@dataclass(frozen=True)
class Stores:
    """The stores that intake asks. `answers_early` tells whether assembly has room for answers so urgent."""

    deduplicator: RequestDeduplicator
    models: ModelVersions
    memory: AsyncTranslationMemory
    answers_early: Callable[[Priority], bool] = lambda _priority: True
    budgets: Budgets = field(default_factory=NoBudgets)


@dataclass
class AssemblyRoom:
    """Knows whether assembly keeps up: it serves in order of arrival, so too much standard work delays the urgent.

    While more than `most_records` wait for it, only urgent requests are answered early; workers order the rest.
    """

    most_records: int
    _waiting: int = field(default=0, init=False)

    def measured(self, lags: Sequence[RecordLag]) -> None:
        """Take in how much assembly has still to read."""
        self._waiting = sum(lag.records for lag in lags)

    def answers_early(self, priority: Priority) -> bool:
        """Tell whether answers of that priority may go to assembly past the workers."""
        return priority is not Priority.STANDARD or self._waiting <= self.most_records


@dataclass(frozen=True)
class _Recalled:
    """A cut request with the version of its model, None where no worker is ready, and what the memory knows."""

    cut: CutRequest
    version: str | None
    known: Sequence[Remembered | None]


@dataclass(frozen=True)
class RequestOutputs:
    """Makes the outputs, and keeps the plans until these are stored."""

    cutter: RequestCutter
    stores: Stores
    wire: WireFormat
    spans: StageSpans = field(default_factory=StageSpans)

    async def of(self, found: Sequence[CutRequest | Outcome], pages: int | None = None) -> list[Outcome]:
        """Look up all segments together, and make the outputs. Raises TransientError while a store is away."""
        versions = [await self._version(one) if isinstance(one, CutRequest) else None for one in found]
        keys = [
            one.context.memory_keys(version, one.normalised())
            if isinstance(one, CutRequest) and isinstance(version, str)
            else []
            for one, version in zip(found, versions, strict=True)
        ]
        known = iter(await self.stores.memory.get_many([key for some in keys for key in some]))
        outcomes: list[Outcome] = []
        for one, version, some in zip(found, versions, keys, strict=True):
            hits = [next(known) for _ in some]
            if not isinstance(one, CutRequest):
                outcomes.append(one)
            elif isinstance(version, PermanentError):
                outcomes.append(version)
            else:
                outcomes.append(self._records(_Recalled(one, version, hits or [None] * one.job.segments), pages))
        return outcomes

    async def _version(self, cut: CutRequest) -> str | PermanentError | None:
        pairs = self.cutter.limits.pairs
        if not cut.job.segments:  # all of it passes through: no model is needed
            return ""
        try:
            return await model_version(self.stores.models, cut.job.pool, cut.source, cut.target, pairs)
        except PermanentError as error:
            return error

    def _records(self, recalled: _Recalled, pages: int | None) -> list[OutboundRecord]:
        cut, record = recalled.cut, recalled.cut.reading.record
        request = cut.reading.request
        batches = batches_of(request.key, cut.job, cut.pieces, recalled.known, wishes_of(request, cut.entries))
        early = [batch for batch in batches if self._is_answered(batch, recalled.version)]
        waiting = [batch for batch in batches if not self._is_answered(batch, recalled.version)]
        hits = len(recalled.known) - list(recalled.known).count(None)
        self.plan(cut.reading, cut.job, waits=bool(waiting), cached_segments=hits, pages=pages)
        self._count(cut, hits)
        now_ms, version = self.cutter.now_ms(), recalled.version or ""
        # Those that wait are last, so that the place of the last output is that of the last one that waits.
        return [
            *early_answer_records(early, version, now_ms, record, self.wire),
            *batch_records(waiting, record, self.wire),
        ]

    def _is_answered(self, batch: SegmentBatch, version: str | None) -> bool:
        """Tell whether the memory knew the whole batch: then no worker is needed."""
        return (
            version is not None
            and None not in batch.translations
            and self.stores.answers_early(Priority(batch.job.priority))
        )

    def expiry(self, reading: Reading) -> OutboundRecord:
        """Return the order to answer a request whose deadline has passed."""
        self.say(reading, "expired")
        self.plan(reading, self.cutter.header(reading), waits=False)
        return expiry_record(self._about(reading), self.wire)

    def refusal(self, reading: Reading, error: PermanentError) -> OutboundRecord:
        """Return the order to answer a request that is refused."""
        self.say(reading, "refused")
        self.plan(reading, self.cutter.header(reading), waits=False)
        return refusal_record(self._about(reading), error, self.wire)

    def say(self, reading: Reading, outcome: str) -> None:
        """Tell the span of a request that is not cut; its languages may be any text that a client sent."""
        if span := self.spans.of(reading.record):
            key = reading.request.key
            facts = {About.TENANT: key.tenant, About.REQUEST_ID: key.request_id, About.OUTCOME: outcome}
            span.say({**facts, About.PRIORITY: reading.priority.value})

    def _about(self, reading: Reading) -> RequestContext:
        header = self.cutter.header(reading)
        return RequestContext(reading.request.key, header, reading.record, self.cutter.now_ms())

    def plan(
        self, reading: Reading, job: Job, *, waits: bool, cached_segments: int = 0, pages: int | None = None
    ) -> None:
        """Keep what the request is until its outputs are stored."""
        request, document = reading.request, job.document or Document()
        plan = RequestPlan(
            fingerprint=reading.payload,
            priority=job.priority,
            pool=job.pool,
            source_language=job.source_language,
            target_language=job.target_language,
            split=split_of(job),
            segments=job.segments,
            batches=job.batches,
            words=job.words,
            cached_segments=cached_segments,
            submitted_at=job.submitted_at,
            noted_at=self.cutter.now_ms(),
            # An order to expire names no revision: a late correction is ended when it is read.
            deadline=job.deadline if job.revision == FIRST_REVISION else None,
            kind=job.kind,
            file_name=document.file_name or request.file_name or "",
            content_type=document.media_type,
            content_bytes=document.source_bytes,
            pages=pages,
        )
        self.stores.deduplicator.plan(reading.request.key, plan, reading.record, waits=waits)

    def _count(self, cut: CutRequest, hits: int) -> None:
        job, priority = cut.job, cut.reading.priority
        labelled(REQUESTS, priority, "accepted").inc()
        labelled(REQUEST_SEGMENTS, priority, "memory").inc(hits)
        labelled(REQUEST_SEGMENTS, priority, "new").inc(job.segments - hits)
        labelled(REQUEST_WORDS, priority).inc(job.words)
        waited_ms = max(self.cutter.now_ms() - cut.reading.record.timestamp_ms, 0)
        labelled(INTAKE_SECONDS, priority).observe(waited_ms / 1000, exemplar_of(cut.reading.record.headers))
        log.debug("request_cut", job=cut.reading.request.key, record=cut.reading.record, batches=job.batches)
        if span := self.spans.of(cut.reading.record):
            facts = facts_of(cut.reading.request.key, job)
            counts = {About.BATCHES: job.batches, About.SEGMENTS: job.segments, About.CACHED_SEGMENTS: hits}
            span.say({**facts, **counts, About.OUTCOME: "accepted"})

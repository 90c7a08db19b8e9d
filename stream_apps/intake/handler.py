"""Handle a take of requests: each is refused, recognised as a repeat, expired, or split into batches.

The stores are asked once for the whole take: which requests were accepted before (while the texts are cut), what
the translation memory knows of all segments, and, when everything is delivered, to note the plans. Works on
protocols only. Any PermanentError on the way ends in `refused`: a dead letter, and an order to assembly to answer
with FAILED, so that every request that has an id is answered exactly once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.telemetry.metrics import INTAKE_SECONDS, REQUEST_SEGMENTS, REQUEST_WORDS, REQUESTS, labelled
from schemas.dead_letters import about_request
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.messages import Job, SegmentBatch
from schemas.plans import RequestPlan
from schemas.priorities import Priority
from schemas.records import FIRST_REVISION, InboundRecord, OutboundRecord, StoredAt
from schemas.segments import Remembered
from schemas.topics import priority_of_topic
from stream_apps.accounts.budgets import Budgets, NoBudgets
from stream_apps.intake.cutting import CutRequest, ExpiredError, Reading, RequestCutter
from stream_apps.pipeline.batching import batches_of, wishes_of
from stream_apps.pipeline.deduplication import RequestDeduplicator, is_same_payload
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

log = structlog.get_logger()

Outcome = Sequence[OutboundRecord] | PermanentError
# Without a tenant and an id there is nobody to answer.
_WITHOUT_IDENTITY = ("bad_tenant", "bad_request_id")


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


class IntakeHandler:
    """Turns requests into outputs. `handle` raises TransientError while a store is away."""

    def __init__(self, cutter: RequestCutter, stores: Stores, wire: WireFormat) -> None:
        self._cutter = cutter
        self._stores = stores
        self._wire = wire

    async def handle(self, records: Sequence[InboundRecord]) -> list[Outcome]:
        """Return what is to be sent for each of the first records, or why it is refused."""
        readings = [self._read(record) for record in records]
        asked = [one for one in readings if isinstance(one, Reading) and not one.is_redriven]
        question = asyncio.ensure_future(
            self._stores.deduplicator.accepted([reading.request.key for reading in asked])
        )
        # Let the question go out before the texts are cut.
        await asyncio.sleep(0)
        try:
            cuts = [cut async for cut in self._cut(readings)]
            plans = await question
        finally:
            question.cancel()
        before = {reading.record.coordinates: plan for reading, plan in zip(asked, plans, strict=True) if plan}
        found = [self._unless_repeated(*one, before) for one in zip(readings, cuts, strict=False)]
        return await self._outcomes(found)

    async def delivered(self, records: Sequence[InboundRecord], places: Sequence[Sequence[StoredAt]]) -> None:
        """Note the plans of these records, whose outputs are stored. Raises TransientError."""
        await self._stores.deduplicator.delivered(records, places)

    def refused(
        self, record: InboundRecord, error: PermanentError, dead_letter: DeadLetter
    ) -> tuple[DeadLetter, Sequence[OutboundRecord]]:
        """Name the request in the dead letter; and return the order to answer it, where it can be answered."""
        REQUESTS.labels(priority_of_topic(record.topic), "refused").inc()
        if error.cause in _WITHOUT_IDENTITY:
            return dead_letter, ()
        try:
            reading = self._cutter.read(record)
        except PermanentError:
            return dead_letter, ()
        named = about_request(dead_letter, reading.request.key)
        if error.cause == "id_reused":  # the first request of the id has an answer, or will have one
            return named, ()
        self._plan(reading, self._cutter.header(reading), waits=False)
        return named, [refusal_record(self._about(reading), error, self._wire)]

    def _read(self, record: InboundRecord) -> Reading | Outcome:
        try:
            reading = self._cutter.read(record)
            if not reading.is_redriven and self._stores.deduplicator.is_claimed(
                reading.request.key, reading.payload, record
            ):
                return self._dropped(reading)
        except PermanentError as error:
            return error
        return reading

    async def _cut(self, readings: Sequence[Reading | Outcome]) -> AsyncIterator[CutRequest | Outcome]:
        """Yield the first of them cut, until there is text enough for one take."""
        characters = 0
        for reading in readings:
            if characters > self._cutter.limits.take_characters:
                return
            found = await self._cut_one(reading) if isinstance(reading, Reading) else reading
            characters += found.job.characters if isinstance(found, CutRequest) else 0
            yield found

    async def _cut_one(self, reading: Reading) -> CutRequest | Outcome:
        try:
            await self._stores.budgets.check(reading.request.tenant)
            return await self._cutter.cut(reading)
        except PermanentError as error:
            return error
        except ExpiredError:
            REQUESTS.labels(reading.priority, "expired").inc()
            self._plan(reading, self._cutter.header(reading), waits=False)
            return [expiry_record(self._about(reading), self._wire)]

    def _unless_repeated(
        self, reading: Reading | Outcome, cut: CutRequest | Outcome, before: Mapping[str, RequestPlan]
    ) -> CutRequest | Outcome:
        plan = before.get(reading.record.coordinates) if isinstance(reading, Reading) else None
        if plan is None or not isinstance(reading, Reading):
            return cut
        self._stores.deduplicator.release(reading.request.key, reading.record)
        try:
            is_same_payload(plan.fingerprint, reading.payload)
        except PermanentError as error:
            return error
        return self._dropped(reading)

    async def _outcomes(self, found: Sequence[CutRequest | Outcome]) -> list[Outcome]:
        """Look up all segments together, and make the outputs."""
        versions = [await self._version(one) if isinstance(one, CutRequest) else None for one in found]
        keys = [
            one.context.memory_keys(version, one.normalised())
            if isinstance(one, CutRequest) and isinstance(version, str)
            else []
            for one, version in zip(found, versions, strict=True)
        ]
        known = iter(await self._stores.memory.get_many([key for some in keys for key in some]))
        outcomes: list[Outcome] = []
        for one, version, some in zip(found, versions, keys, strict=True):
            hits = [next(known) for _ in some]
            if not isinstance(one, CutRequest):
                outcomes.append(one)
            elif isinstance(version, PermanentError):
                outcomes.append(version)
            else:
                outcomes.append(self._outputs(_Recalled(one, version, hits or [None] * one.job.segments)))
        return outcomes

    async def _version(self, cut: CutRequest) -> str | PermanentError | None:
        pairs = self._cutter.limits.pairs
        if not cut.job.segments:  # all of it passes through: no model is needed
            return ""
        try:
            return await model_version(self._stores.models, cut.job.pool, cut.source, cut.target, pairs)
        except PermanentError as error:
            return error

    def _outputs(self, recalled: _Recalled) -> list[OutboundRecord]:
        cut, record = recalled.cut, recalled.cut.reading.record
        request = cut.reading.request
        batches = batches_of(request.key, cut.job, cut.pieces, recalled.known, wishes_of(request))
        early = [batch for batch in batches if self._is_answered(batch, recalled.version)]
        waiting = [batch for batch in batches if not self._is_answered(batch, recalled.version)]
        hits = len(recalled.known) - list(recalled.known).count(None)
        self._plan(cut.reading, cut.job, waits=bool(waiting), cached_segments=hits)
        self._count(cut, hits)
        now_ms, version = self._cutter.now_ms(), recalled.version or ""
        # Those that wait are last, so that the place of the last output is that of the last one that waits.
        return [
            *early_answer_records(early, version, now_ms, record, self._wire),
            *batch_records(waiting, record, self._wire),
        ]

    def _is_answered(self, batch: SegmentBatch, version: str | None) -> bool:
        """Tell whether the memory knew the whole batch: then no worker is needed."""
        return (
            version is not None
            and None not in batch.translations
            and self._stores.answers_early(Priority(batch.job.priority))
        )

    def _dropped(self, reading: Reading) -> Sequence[OutboundRecord]:
        REQUESTS.labels(reading.priority, "repeated").inc()
        log.info("request_repeated", key=str(reading.request.key))
        return ()

    def _about(self, reading: Reading) -> RequestContext:
        header = self._cutter.header(reading)
        return RequestContext(reading.request.key, header, reading.record, self._cutter.now_ms())

    def _plan(self, reading: Reading, job: Job, *, waits: bool, cached_segments: int = 0) -> None:
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
            noted_at=self._cutter.now_ms(),
            # An order to expire names no revision: a late correction is ended when it is read.
            deadline=job.deadline if job.revision == FIRST_REVISION else None,
        )
        self._stores.deduplicator.plan(reading.request.key, plan, reading.record, waits=waits)

    def _count(self, cut: CutRequest, hits: int) -> None:
        job, priority = cut.job, cut.reading.priority
        labelled(REQUESTS, priority, "accepted").inc()
        labelled(REQUEST_SEGMENTS, priority, "memory").inc(hits)
        labelled(REQUEST_SEGMENTS, priority, "new").inc(job.segments - hits)
        labelled(REQUEST_WORDS, priority).inc(job.words)
        waited_ms = max(self._cutter.now_ms() - cut.reading.record.timestamp_ms, 0)
        labelled(INTAKE_SECONDS, priority).observe(waited_ms / 1000)

"""Handle a take of requests: each is refused, recognised as a repeat, expired, or split into batches.

The stores are asked once for the whole take: which requests were accepted before (while the texts are cut), what
the translation memory knows of all segments, and, when everything is delivered, to note the plans. Works on
protocols only. Any PermanentError on the way ends in `refused`: a dead letter, and an order to assembly to answer
with FAILED, so that every request that has an id is answered exactly once.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog

from connectors.telemetry.metrics import REQUESTS
from schemas.dead_letters import about_request
from schemas.documents import is_document
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.plans import RequestPlan
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.topics import priority_of_topic
from stream_apps.intake.cutting import CutRequest, ExpiredError, Reading, RequestCutter
from stream_apps.intake.outputs import Outcome, RequestOutputs, Stores
from stream_apps.pipeline.deduplication import is_same_payload
from stream_apps.pipeline.output_records import WireFormat, document_record
from stream_apps.runtime.stage_spans import StageSpans

log = structlog.get_logger()

# Without a tenant and an id there is nobody to answer.
WITHOUT_IDENTITY = ("bad_tenant", "bad_request_id")


class IntakeHandler:
    """Turns requests into outputs. `handle` raises TransientError while a store is away."""

    def __init__(
        self, cutter: RequestCutter, stores: Stores, wire: WireFormat, spans: StageSpans | None = None
    ) -> None:
        self._cutter = cutter
        self._stores = stores
        self._wire = wire
        self._outputs = RequestOutputs(cutter, stores, wire, spans or StageSpans())

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
        return await self._outputs.of(found)

    async def delivered(self, records: Sequence[InboundRecord], places: Sequence[Sequence[StoredAt]]) -> None:
        """Note the plans of these records, whose outputs are stored. Raises TransientError."""
        await self._stores.deduplicator.delivered(records, places)

    def refused(
        self, record: InboundRecord, error: PermanentError, dead_letter: DeadLetter
    ) -> tuple[DeadLetter, Sequence[OutboundRecord]]:
        """Name the request in the dead letter; and return the order to answer it, where it can be answered."""
        REQUESTS.labels(priority_of_topic(record.topic), "refused").inc()
        if error.cause in WITHOUT_IDENTITY:
            return dead_letter, ()
        try:
            reading = self._cutter.read(record)
        except PermanentError:
            return dead_letter, ()
        named = about_request(dead_letter, reading.request.key)
        if error.cause == "id_reused":  # the first request of the id has an answer, or will have one
            return named, ()
        return named, [self._outputs.refusal(reading, error)]

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
            if is_document(reading.request):
                return self._handed_on(reading)
            return await self._cutter.cut(reading)
        except PermanentError as error:
            return error
        except ExpiredError:
            REQUESTS.labels(reading.priority, "expired").inc()
            return [self._outputs.expiry(reading)]

    def _handed_on(self, reading: Reading) -> Outcome:
        """Send the request for a document on to extraction, if it is sound as far as it can be seen here."""
        self._cutter.checked(reading)
        REQUESTS.labels(reading.priority, "handed_on").inc()
        self._outputs.say(reading, "handed_on")
        self._outputs.plan(reading, self._cutter.header(reading), waits=False)
        return [document_record(reading.request, reading.record, self._wire)]

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

    def _dropped(self, reading: Reading) -> Sequence[OutboundRecord]:
        REQUESTS.labels(reading.priority, "repeated").inc()
        self._outputs.say(reading, "repeated")
        log.info("request_repeated", job=reading.request.key, record=reading.record)
        return ()

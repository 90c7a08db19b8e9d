"""Take over in the standby region: find out which requests are answered before its platform starts.

Everything comes from the replicated topics; the state of the lost region is not needed.
1. Every record of translation.results sets a marker: that request is answered and will not be answered again.
2. Every replicated request with a marker is noted as seen, so that intake skips it; one without is reopened.
3. Intake starts at the first unanswered request of each partition.
May be repeated. Only while no process of the platform runs in this region.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import read_spans
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import open_state, open_state_async
from connectors.redis.request_markers import RedisRequestPlans
from connectors.redis.settings import RedisSettings
from connectors.redis.slots import RedisSlots
from schemas import topics
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.ids import JobKey
from schemas.messages import TranslationRequest, TranslationResult
from schemas.own_topics import request_of
from schemas.plans import RequestPlan
from schemas.records import FIRST_REVISION, InboundRecord, redriven_revision, revisions_up_to
from schemas.slots import Completion, RequestRevision
from stream_apps.assembly.main import GROUP as ASSEMBLY
from stream_apps.assembly.settings import AssemblySettings
from stream_apps.intake.main import GROUP as INTAKE
from stream_apps.pipeline.deduplication import payload_fingerprint
from stream_apps.pipeline.stores import RequestPlans, Slots
from stream_apps.runtime.state_watch import read_state_server

_RECORDS = 1000

OnTopicProgress = Callable[[str, int], None]
"""Called with a topic and how many records of it were read since the last call."""


@dataclass
class TakenOver:
    """The result of a take-over. `begins`: by topic and partition, the offset at which intake starts."""

    answered: int = 0
    open: int = 0
    begins: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class _SentRequest:
    """A request as it was sent, for the first time or again by an operator."""

    record: InboundRecord
    request: TranslationRequest
    request_revision: RequestRevision
    is_redriven: bool


@dataclass(frozen=True)
class TakeOver:
    """One take-over. `read` yields a whole topic in lists, `ends` returns the end of each of its partitions.

    Each of `own_tenants` has request topics of its own.
    """

    read: Callable[[str], Iterator[list[InboundRecord]]]
    ends: Callable[[str], Mapping[int, int]]
    slots: Slots
    plans: RequestPlans
    codec: Codec
    on_progress: OnTopicProgress
    own_tenants: Sequence[str] = ()
    found: TakenOver = field(default_factory=TakenOver)

    async def run(self) -> TakenOver:
        """Take over. Raises TransientError when a store is unreachable; then run it again."""
        self._mark_answered()
        for topic in topics.all_request_topics(self.own_tenants):
            await self._read_requests(topic)
        return self.found

    def _mark_answered(self) -> None:
        for records in self.read(topics.RESULTS):
            self.slots.finish(dict(mark for record in records for mark in _marks(record, self.codec)))
            self.found.answered += len(records)
            self.on_progress(topics.RESULTS, len(records))

    async def _read_requests(self, topic: str) -> None:
        begins = dict(self.ends(topic))
        for records in self.read(topic):
            for record in await self._reopen(records):
                begins[record.partition] = min(begins[record.partition], record.offset)
            self.on_progress(topic, len(records))
        self.found.begins |= {(topic, partition): offset for partition, offset in begins.items()}

    async def _reopen(self, records: Sequence[InboundRecord]) -> list[InboundRecord]:
        """Note the answered requests as seen, reopen the others, and return the records of those."""
        sent = [one for record in records if (one := _request_in(record, self.codec))]
        answered = self.slots.answered([one.request_revision for one in sent])
        done = [one for one, is_done in zip(sent, answered, strict=True) if is_done]
        waiting = [one for one, is_done in zip(sent, answered, strict=True) if not is_done]
        await self.plans.note(
            {one.request_revision.key: RequestPlan(fingerprint=payload_fingerprint(one.request)) for one in done}
        )
        # Intake ignores the marker of a request that an operator sent again.
        await self.plans.forget([one.request_revision.key for one in waiting if not one.is_redriven])
        self.slots.reopen([one.request_revision for one in waiting])
        self.found.open += len(waiting)
        return [one.record for one in waiting]


def take_over(kafka: KafkaSettings, redis: RedisSettings, on_progress: OnTopicProgress) -> TakenOver:
    """Prepare the state Redis and the offsets of intake. Raises FatalError while the platform runs here."""
    admin = KafkaAdmin(kafka)
    for group in (INTAKE, ASSEMBLY, topics.MERGING_GROUP):
        admin.wait_until_empty(group)
    found = asyncio.run(_take_over(admin, kafka, redis, on_progress))
    admin.move_group(INTAKE, found.begins)
    return found


async def _take_over(
    admin: KafkaAdmin, kafka: KafkaSettings, redis: RedisSettings, on_progress: OnTopicProgress
) -> TakenOver:
    retention = AssemblySettings(kafka=kafka, redis=redis).retention
    with open_state(redis) as state:
        read_state_server(state).check()
        async with open_state_async(redis) as async_state:
            return await TakeOver(
                read=lambda topic: read_spans(kafka, admin.spans([topic]), _RECORDS),
                ends=admin.ends,
                slots=RedisSlots(state, retention),
                plans=RedisRequestPlans(async_state, retention.done_seconds),
                codec=open_codec(kafka),
                on_progress=on_progress,
                own_tenants=kafka.tenants,
            ).run()


def _marks(record: InboundRecord, codec: Codec) -> list[tuple[RequestRevision, Completion]]:
    """Return what the result answers: its revision and all before it, whose records may be compacted away."""
    try:
        result = codec.decode(record.value, TranslationResult)
    except PermanentError:  # the value was erased; the key still says which request was answered
        result = TranslationResult(**JobKey.decode(record.key)._asdict())
    revisions = revisions_up_to(result.version)
    status, at_ms = result.status or "", result.completed_at
    done = Completion(record.coordinates, status, at_ms, erased_at=result.erased_at)
    return [(RequestRevision(result.key, revision), done) for revision in revisions]


def _request_in(record: InboundRecord, codec: Codec) -> _SentRequest | None:
    """Decode a request; None for anything else, for which intake writes a dead letter."""
    try:
        request = request_of(record, codec)
    except PermanentError:
        return None
    revision = redriven_revision(record.headers)
    request_revision = RequestRevision(request.key, revision or FIRST_REVISION)
    return _SentRequest(record, request, request_revision, revision is not None)

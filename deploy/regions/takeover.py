"""What the standing-by region must know before its platform may start: what is answered, and what is not.

Everything comes from the replicated topics; the state of the lost region is not needed.
1. every record of translation.results makes a marker: that request is answered, nobody answers it again;
2. every replicated request with a marker is noted as seen, so that intake skips it; one without is made new;
3. intake begins at the first request of each partition that has no answer.
May be repeated. Only while no process of the platform runs in this region.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.log_scan import scanning
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import open_state, open_state_async
from connectors.redis.request_markers import RedisSeenRequests
from connectors.redis.settings import RedisSettings
from connectors.redis.slots import RedisSlots
from schemas import topics
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import FIRST_REVISION, InboundRecord, redriven_revision, revisions_up_to
from schemas.slots import RequestRevision
from stream_apps.assembly.main import GROUP as ASSEMBLY
from stream_apps.assembly.settings import AssemblySettings
from stream_apps.intake.main import GROUP as INTAKE
from stream_apps.pipeline.deduplication import payload_fingerprint
from stream_apps.pipeline.stores import SeenRequests, Slots

_RECORDS = 1000

OnTopicProgress = Callable[[str, int], None]
"""Told a topic and how many records of it were read since the last call."""


@dataclass
class TakenOver:
    """What was found. `begins`: topic and partition -> where intake goes on."""

    answered: int = 0
    open: int = 0
    begins: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Call:
    """A request as it was sent, for the first time or again."""

    record: InboundRecord
    request: TranslationRequest
    request_revision: RequestRevision
    is_redriven: bool


@dataclass(frozen=True)
class TakeOver:
    """One take-over. `read` gives a whole topic, `ends` the end of each of its partitions."""

    read: Callable[[str], Iterator[list[InboundRecord]]]
    ends: Callable[[str], Mapping[int, int]]
    slots: Slots
    seen: SeenRequests
    codec: Codec
    done_seconds: int
    on_progress: OnTopicProgress
    found: TakenOver = field(default_factory=TakenOver)

    async def run(self) -> TakenOver:
        """Raises TransientError when a part is away; then run it again."""
        self._mark_answered()
        for priority in Priority:
            await self._walk(topics.requests_topic(priority))
        return self.found

    def _mark_answered(self) -> None:
        for records in self.read(topics.RESULTS):
            self.slots.finish(dict(mark for record in records for mark in _marks(record, self.codec)))
            self.found.answered += len(records)
            self.on_progress(topics.RESULTS, len(records))

    async def _walk(self, topic: str) -> None:
        begins = dict(self.ends(topic))
        for records in self.read(topic):
            for record in await self._sort(records):
                begins[record.partition] = min(begins[record.partition], record.offset)
            self.on_progress(topic, len(records))
        self.found.begins |= {(topic, partition): offset for partition, offset in begins.items()}

    async def _sort(self, records: Sequence[InboundRecord]) -> list[InboundRecord]:
        """Notes the answered ones, makes the others new, and answers where those stand."""
        calls = [call for record in records if (call := _call_in(record, self.codec))]
        answered = self.slots.answered([call.request_revision for call in calls])
        done = [call for call, is_done in zip(calls, answered, strict=True) if is_done]
        waiting = [call for call, is_done in zip(calls, answered, strict=True) if not is_done]
        fingerprints = {call.request_revision.request_id: payload_fingerprint(call.request) for call in done}
        await self.seen.mark(fingerprints, self.done_seconds)
        # Intake does not look for the marker of what an operator sent again.
        await self.seen.forget([call.request_revision.request_id for call in waiting if not call.is_redriven])
        self.slots.reopen([call.request_revision for call in waiting])
        self.found.open += len(waiting)
        return [call.record for call in waiting]


def take_over(kafka: KafkaSettings, redis: RedisSettings, on_progress: OnTopicProgress) -> TakenOver:
    """Prepares the state Redis and intake's group. Raises FatalError while the platform runs here."""
    admin = KafkaAdmin(kafka)
    for group in (INTAKE, ASSEMBLY):
        admin.wait_until_empty(group)
    found = asyncio.run(_take_over(admin, kafka, redis, on_progress))
    admin.move_group(INTAKE, found.begins)
    return found


async def _take_over(
    admin: KafkaAdmin, kafka: KafkaSettings, redis: RedisSettings, on_progress: OnTopicProgress
) -> TakenOver:
    retention = AssemblySettings(kafka=kafka, redis=redis).retention
    with open_state(redis) as state:
        async with open_state_async(redis) as async_state:
            return await TakeOver(
                read=lambda topic: _whole(kafka, admin, topic),
                ends=admin.ends,
                slots=RedisSlots(state, retention),
                seen=RedisSeenRequests(async_state),
                codec=open_codec(kafka),
                done_seconds=retention.done_seconds,
                on_progress=on_progress,
            ).run()


def _whole(kafka: KafkaSettings, admin: KafkaAdmin, topic: str) -> Iterator[list[InboundRecord]]:
    with scanning(kafka, admin.spans([topic])) as scan:
        yield from scan.until_done(_RECORDS)


def _marks(record: InboundRecord, codec: Codec) -> list[tuple[RequestRevision, str]]:
    """A result answers its revision and all before it, whose records may be compacted away."""
    try:
        result = codec.decode(record.value, TranslationResult)
    except PermanentError:  # somebody has emptied the value; the key says who was answered
        result = TranslationResult(request_id=(record.key or b"").decode(errors="replace"))
    revisions = revisions_up_to(result.version)
    return [(RequestRevision(result.request_id, revision), record.coordinates) for revision in revisions]


def _call_in(record: InboundRecord, codec: Codec) -> _Call | None:
    """None for what is no request: intake has written its dead letter, or will."""
    try:
        request = codec.decode(record.value, TranslationRequest)
    except PermanentError:
        return None
    revision = redriven_revision(record.headers)
    request_revision = RequestRevision(request.request_id, revision or FIRST_REVISION)
    return _Call(record, request, request_revision, revision is not None)

"""What the standing-by region must know before its platform may start: what is answered, and what is not.

Everything comes from the replicated topics; the state of the lost region is not needed.
1. every record of translation.results makes a marker: that request is answered, nobody answers it again;
2. every replicated request with a marker is noted as seen, so that intake skips it; one without is made new;
3. intake begins at the first request of each partition that has no answer.
May be repeated. Only while no process of the platform runs in this region.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.log_reader import LogReader
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import open_state, open_state_async
from connectors.redis.seen import RedisSeenRequests
from connectors.redis.settings import RedisSettings
from connectors.redis.slots import RedisSlots
from schemas import topics
from schemas.codec import Codec
from schemas.errors import FatalError, PermanentError
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.records import InboundRecord
from stream_apps.assembly.main import GROUP as ASSEMBLY
from stream_apps.assembly.settings import AssemblySettings
from stream_apps.intake.app import GROUP as INTAKE
from stream_apps.intake.repeats import payload_fingerprint

_RECORDS = 1000

OnProgress = Callable[[str, int], None]
"""Told a topic and how many records of it were read since the last call."""


@dataclass
class TakenOver:
    """What was found. `begins` is where intake goes on."""

    answered: int = 0
    open: int = 0
    begins: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Stores:
    """What the take-over reads and writes."""

    kafka: KafkaSettings
    admin: KafkaAdmin
    slots: RedisSlots
    seen: RedisSeenRequests
    codec: Codec
    done_seconds: int


def take_over(kafka: KafkaSettings, redis: RedisSettings, on_progress: OnProgress) -> TakenOver:
    """Prepares the state Redis and intake's group. Raises FatalError while the platform runs here."""
    admin = KafkaAdmin(kafka)
    _check_stopped(admin)
    return asyncio.run(_take_over(kafka, redis, on_progress))


async def _take_over(kafka: KafkaSettings, redis: RedisSettings, on_progress: OnProgress) -> TakenOver:
    state = open_state_async(redis)
    retention = AssemblySettings(kafka=kafka, redis=redis).retention
    stores = Stores(
        kafka,
        KafkaAdmin(kafka),
        RedisSlots(open_state(redis), retention),
        RedisSeenRequests(state),
        open_codec(kafka),
        redis.done_ttl_seconds,
    )
    try:
        found = TakenOver(answered=_mark_answered(stores, on_progress))
        for priority in Priority:
            await _walk_requests(stores, topics.requests_topic(priority), found, on_progress)
    finally:
        await state.aclose()
    stores.admin.move_group(INTAKE, found.begins)
    return found


def _check_stopped(admin: KafkaAdmin) -> None:
    for group in (INTAKE, ASSEMBLY):
        if members := admin.members(group):
            raise FatalError(f"{members} processes of {group} run in this region; stop the platform here first")


def _mark_answered(stores: Stores, on_progress: OnProgress) -> int:
    count = 0
    for records in whole_topic(stores, topics.RESULTS):
        stores.slots.finish({(record.key or b"").decode(): record.coordinates for record in records})
        on_progress(topics.RESULTS, len(records))
        count += len(records)
    return count


async def _walk_requests(stores: Stores, topic: str, found: TakenOver, on_progress: OnProgress) -> None:
    begins = stores.admin.ends(topic)
    for records in whole_topic(stores, topic):
        requests = [(record, request) for record in records if (request := _decoded(stores.codec, record))]
        answered = stores.slots.answered([request.request_id for _, request in requests])
        done = [request for (_, request), is_answered in zip(requests, answered, strict=True) if is_answered]
        waiting = [pair for pair, is_answered in zip(requests, answered, strict=True) if not is_answered]
        await _note(stores, done, [request.request_id for _, request in waiting])
        for record, _ in waiting:
            begins[record.partition] = min(begins[record.partition], record.offset)
        found.open += len(waiting)
        on_progress(topic, len(records))
    found.begins |= {(topic, partition): offset for partition, offset in begins.items()}


async def _note(stores: Stores, done: Sequence[TranslationRequest], waiting: Sequence[str]) -> None:
    await stores.seen.mark(
        {request.request_id: payload_fingerprint(request) for request in done}, stores.done_seconds
    )
    if waiting:
        await stores.seen.forget(waiting)
        stores.slots.reopen(waiting)


def whole_topic(stores: Stores, topic: str) -> Iterator[list[InboundRecord]]:
    """All committed records up to where the topic ends now."""
    reader = LogReader(stores.kafka, topic, from_beginning=True)
    try:
        yield from reader.until_end(_RECORDS)
    finally:
        reader.close()


def _decoded(codec: Codec, record: InboundRecord) -> TranslationRequest | None:
    """None for what is no request: intake has written its dead letter, or will."""
    try:
        return codec.decode(record.value, TranslationRequest)
    except PermanentError:
        return None

"""Up to which moment the platform has worked everything off: what is older and has no answer is lost. Pure.

A request that is still on its way has at least one record that a group has not committed: its own before intake,
a batch before the workers, a translated batch or an order before assembly. Each of them tells when Kafka stored
the request. The oldest of these moments is the frontier of a priority.
"""

from collections.abc import Iterable, Mapping

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.messages import Job, Message, SegmentBatch, TranslatedBatch
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import CONTROL, TRANSLATED, batches_topic, requests_topic

Watermarks = Mapping[Priority, int]


def low_watermarks(
    waiting: Iterable[InboundRecord], codec: Codec, pools: Iterable[str], now_ms: int
) -> Watermarks:
    """Milliseconds since the epoch by priority; now where nothing waits.

    `waiting`: the first record of every partition that its group has not committed. A flood of standard requests
    must not keep lost critical ones waiting, so only what all priorities share counts for all.
    """
    topics = {priority: _topics_of(priority, pools) for priority in Priority}
    found = dict.fromkeys(Priority, now_ms)
    for record in waiting:
        moment_ms = moment_of(record, codec)
        for priority in Priority:
            if record.topic in topics[priority]:
                found[priority] = min(found[priority], moment_ms)
    return found


def moment_of(record: InboundRecord, codec: Codec) -> int:
    """When Kafka stored the request that the record belongs to, or the record itself where that is not known."""
    job = _job(record, codec)
    accepted_at = job.accepted_at if job else 0
    return min(record.timestamp_ms, accepted_at) if accepted_at else record.timestamp_ms


def _topics_of(priority: Priority, pools: Iterable[str]) -> set[str]:
    return {requests_topic(priority), *(batches_topic(pool, priority) for pool in pools), TRANSLATED, CONTROL}


def _job(record: InboundRecord, codec: Codec) -> Job | None:
    try:
        message: Message = codec.decode(record.value, _kind(record.topic))
    except PermanentError:
        return None
    return getattr(message, "job", None)


def _kind(topic: str) -> type[SegmentBatch | TranslatedBatch | JobControl]:
    return {TRANSLATED: TranslatedBatch, CONTROL: JobControl}.get(topic, SegmentBatch)

"""Compute the oldest accept time still in flight: an unanswered request that is older is lost. Pure.

A request in flight has at least one record that a consumer group has not committed: its own before intake, and,
if it is for a document, before extraction; a batch before the workers; a translated batch or an order before
assembly or merging. Each of these records tells when Kafka
stored the request. The oldest of these times is the low watermark, one for each priority.
"""

from collections.abc import Iterable, Mapping

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.lanes import LANES_OF
from schemas.messages import Job, Message, SegmentBatch, TranslatedBatch
from schemas.priorities import Priority
from schemas.records import InboundRecord, accepted_ms
from schemas.topics import (
    TRANSLATED,
    TRANSLATED_DOCUMENTS,
    TopicPlan,
    answered_topics,
    batches_topic,
    documents_topic,
    is_control,
    request_topics,
    tenant_of_topic,
)

_DOCUMENT_TOPICS = frozenset(map(documents_topic, Priority))

Watermarks = Mapping[Priority, int]
"""Milliseconds since the epoch by priority."""


def low_watermarks(uncommitted: Iterable[InboundRecord], codec: Codec, plan: TopicPlan, now_ms: int) -> Watermarks:
    """Return the watermark of each priority; `now_ms` where nothing is in flight.

    `uncommitted`: the first record of each partition that its group has not committed. A topic of one priority
    counts for that priority only, so that a flood of standard requests does not delay the repair of lost critical
    ones. Topics that all priorities share count for all.
    """
    topics = {priority: _topics_of(priority, plan) for priority in Priority}
    watermarks = dict.fromkeys(Priority, now_ms)
    for record in uncommitted:
        accepted_ms = accept_time_ms(record, codec)
        for priority in Priority:
            if record.topic in topics[priority]:
                watermarks[priority] = min(watermarks[priority], accepted_ms)
    return watermarks


def accept_time_ms(record: InboundRecord, codec: Codec) -> int:
    """Return when Kafka stored the request of this record, or the record itself where that is not known."""
    if record.topic in _DOCUMENT_TOPICS or tenant_of_topic(record.topic):
        return accepted_ms(record)
    job = _job(record, codec)
    accepted_at = job.accepted_at if job else 0
    return min(record.timestamp_ms, accepted_at) if accepted_at else record.timestamp_ms


def _topics_of(priority: Priority, plan: TopicPlan) -> set[str]:
    batches = {batches_topic(pool, lane) for pool in plan.pools for lane in LANES_OF[priority]}
    requests = request_topics(priority, plan.tenants)
    return {*requests, documents_topic(priority), *batches, *answered_topics(plan.tenants)}


def _job(record: InboundRecord, codec: Codec) -> Job | None:
    try:
        message: Message = codec.decode(record.value, _message_type(record.topic), record.headers)
    except PermanentError:
        return None
    return getattr(message, "job", None)


def _message_type(topic: str) -> type[SegmentBatch] | type[TranslatedBatch] | type[JobControl]:
    if is_control(topic):
        return JobControl
    of_topic = {TRANSLATED: TranslatedBatch, TRANSLATED_DOCUMENTS: TranslatedBatch}
    return of_topic.get(topic, SegmentBatch)

"""Build what goes out beside a result: the words to bill. Pure."""

import zlib

from schemas.events import UsageEvent
from schemas.ids import event_id
from schemas.messages import Job, TranslationResult
from schemas.priorities import SLA_SECONDS, Priority
from schemas.states import ResultStatus, UsageKind
from stream_apps.pipeline.join import seconds_since_acceptance

_WITH_TEXT = (ResultStatus.COMPLETED, ResultStatus.PARTIAL)


def usage_partition(instance: str, partitions: int) -> int:
    """Choose the partition of translation.usage for a process: its records need no order among others'."""
    return zlib.crc32(instance.encode()) % partitions


def billed_characters(result: TranslationResult) -> int:
    """Return the source characters that an answer stands for: none where no text was translated."""
    return result.source_characters if result.status in _WITH_TEXT and result.segments else 0


def billed_usage(result: TranslationResult, job: Job) -> UsageEvent:
    """Build the one billed event of an answer.

    A correction bills only what earlier answers did not: the events of a request add up to its newest answer.
    """
    return UsageEvent(
        event_id=event_id(UsageKind.BILLED, str(result.key), job.revision),
        kind=UsageKind.BILLED,
        **result.key._asdict(),
        submitted_by=job.submitted_by or "",
        labels=job.labels,
        request_kind=job.kind,
        content_type=job.content_type,
        priority=result.priority,
        source_language=result.source_language,
        target_language=result.target_language,
        model=result.model,
        pool=job.pool,
        device=result.device,
        market=result.market,
        status=result.status,
        units=result.units,
        source_words=max(result.source_words - job.billed_words, 0),
        target_words=result.target_words,
        cached_words=result.cached_words,
        source_characters=max(billed_characters(result) - job.billed_characters, 0),
        target_characters=result.target_characters,
        busy_ms=result.busy_ms,
        segments=result.segments,
        cached_segments=result.cached_segments,
        failed_segments=len(result.holes),
        latency_ms=seconds_since_acceptance(job, result.completed_at) * 1000,
        sla_ms=SLA_SECONDS[Priority(result.priority)] * 1000,
        at=result.completed_at,
    )

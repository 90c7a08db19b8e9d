"""Turn a job event into facts about its job, each with a weight. Pure; the ledger only compares weights.

Intake describes a job best, because it has read the whole request; then a worker, who knows its header; then
whoever accepted it unread; last the assembler, who may have answered it unseen. Of equals the later counts.
"""

from connectors.redis.job_ledger import BatchDone, Fact, JobUpdate
from connectors.redis.job_view import DETAIL
from schemas.errors import PermanentError
from schemas.events import JobEvent
from schemas.priorities import parse_priority
from schemas.states import JobStage, ResultStatus
from schemas.validity import LATEST_MS, MOST_BATCHES, check_key, check_length, check_number, check_texts

# A later stage is never undone by an earlier one.
_ORDER = {stage: number for number, stage in enumerate(JobStage)}
_AUTHORITY = {JobStage.SEGMENTED: 4, JobStage.TRANSLATED: 3, JobStage.ACCEPTED: 2, JobStage.FINISHED: 1}

_RANK = LATEST_MS + 1
_MOST_DETAILS, _MOST_DETAIL_BYTES = 32, 16_384
_NAMES = ("pool",)
_COUNTS = ("segments", "words", "cached_segments")
_TIMES = ("submitted_at", "at")


def update_of(event: JobEvent) -> JobUpdate:
    """Return what the event says of its job. Raises PermanentError naming a field that no stage sends so."""
    _check(event)
    return JobUpdate(event.key, {**_described(event), **_happened(event)}, _batch(event), event.deadline)


def _described(event: JobEvent) -> dict[str, Fact]:
    weight = _weight(_AUTHORITY[event.stage], event.at)
    about_job: dict[str, str | int] = {
        "priority": event.priority,
        "pool": event.pool,
        "batches": event.batches,
        "submitted_at": event.submitted_at,
    }
    if event.stage is not JobStage.TRANSLATED:
        about_job |= {"segments": event.segments, "words": event.words, "cached_segments": event.cached_segments}
    return {name: Fact(str(value), weight) for name, value in about_job.items() if value}


def _happened(event: JobEvent) -> dict[str, Fact]:
    weight = _weight(_ORDER[event.stage], event.at)
    facts = {f"{DETAIL}{name}": Fact(value, weight) for name, value in event.detail.items() if value}
    facts |= {"stage": Fact(event.stage, weight), "updated_at": Fact(str(event.at), event.at)}
    if event.stage is JobStage.FINISHED:
        facts["status"] = Fact(event.status or ResultStatus.COMPLETED, event.at)
    return facts


def _batch(event: JobEvent) -> BatchDone | None:
    if event.stage is not JobStage.TRANSLATED or event.batch_number is None:
        return None
    return BatchDone(event.batch_number, event.segments, event.words, event.at)


def _weight(rank: int, at_ms: int) -> int:
    return rank * _RANK + at_ms


def _check(event: JobEvent) -> None:
    check_key(event.key)
    parse_priority(event.priority)
    for field in _NAMES:
        check_length(field, getattr(event, field))
    for field in _COUNTS:
        check_number(field, getattr(event, field))
    for field in _TIMES:
        check_number(field, getattr(event, field), most=LATEST_MS)
    check_number("batches", event.batches, most=MOST_BATCHES)
    check_number("detail", len(event.detail), most=_MOST_DETAILS)
    check_texts("detail", event.detail, _MOST_DETAIL_BYTES)
    if event.stage is JobStage.TRANSLATED:
        _check_batch_number(event.batch_number or 0)


def _check_batch_number(number: int) -> None:
    limit = f"0 to {MOST_BATCHES - 1}"
    if not 0 <= number < MOST_BATCHES:
        raise PermanentError(
            "unknown_batch_number",
            f"batch_number is {number}",
            field="batch_number",
            limit=limit,
            cure=f"send {limit}",
        )

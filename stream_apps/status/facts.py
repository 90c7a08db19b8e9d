"""What an event may say of its job, and whose word counts most. Pure; the ledger only compares weights.

A job is described by intake, which has read the whole request; before that by a worker, who knows its header,
by whoever accepted it unread, and last by the assembler, who may have answered it unseen. Of two equal ones
the later counts.
"""

from connectors.redis.job_ledger import BatchDone, Fact, JobUpdate
from connectors.redis.job_view import DETAIL
from schemas.errors import PermanentError
from schemas.events import JobEvent
from schemas.priorities import parse_priority
from schemas.validity import LATEST_MS, MOST_BATCHES, check_id, check_length, check_number, check_texts

# Stages in the order of their happening; a later one is never undone by an earlier one.
STAGES = ("ACCEPTED", "SEGMENTED", "TRANSLATED", "FINISHED")
_AUTHORITY = {"SEGMENTED": 4, "TRANSLATED": 3, "ACCEPTED": 2, "FINISHED": 1}

_RANK = LATEST_MS + 1
_MOST_DETAILS, _MOST_DETAIL_BYTES = 32, 16_384
_NAMES = ("tenant", "pool", "status")
_COUNTS = ("segments", "words", "cached_segments")
_TIMES = ("submitted_at", "at")


def update_of(event: JobEvent) -> JobUpdate:
    """Raises PermanentError naming the field for an event that no stage sends."""
    _check(event)
    return JobUpdate(event.request_id, {**_described(event), **_happened(event)}, _batch(event), event.deadline)


def _described(event: JobEvent) -> dict[str, Fact]:
    weight = _weight(_AUTHORITY[event.stage], event.at)
    about_job: dict[str, str | int] = {
        "tenant": event.tenant,
        "priority": event.priority,
        "pool": event.pool,
        "batches": event.batches,
        "submitted_at": event.submitted_at,
    }
    if event.stage != "TRANSLATED":
        about_job |= {"segments": event.segments, "words": event.words, "cached_segments": event.cached_segments}
    return {name: Fact(str(value), weight) for name, value in about_job.items() if value}


def _happened(event: JobEvent) -> dict[str, Fact]:
    weight = _weight(STAGES.index(event.stage), event.at)
    facts = {f"{DETAIL}{name}": Fact(value, weight) for name, value in event.detail.items() if value}
    facts |= {"stage": Fact(event.stage, weight), "updated_at": Fact(str(event.at), event.at)}
    if event.stage == "FINISHED":
        facts["status"] = Fact(event.status or "COMPLETED", event.at)
    return facts


def _batch(event: JobEvent) -> BatchDone | None:
    if event.stage != "TRANSLATED" or event.batch_number is None:
        return None
    return BatchDone(event.batch_number, event.segments, event.words, event.at)


def _weight(rank: int, at_ms: int) -> int:
    return rank * _RANK + at_ms


def _check(event: JobEvent) -> None:
    check_id("request_id", event.request_id)
    parse_priority(event.priority)
    for field in _NAMES:
        check_length(field, getattr(event, field) or "")
    for field in _COUNTS:
        check_number(field, getattr(event, field))
    for field in _TIMES:
        check_number(field, getattr(event, field), most=LATEST_MS)
    check_number("batches", event.batches, most=MOST_BATCHES)
    check_number("detail", len(event.detail), most=_MOST_DETAILS)
    check_texts("detail", event.detail, _MOST_DETAIL_BYTES)
    _check_stage(event)


def _check_stage(event: JobEvent) -> None:
    if event.stage not in STAGES:
        raise _bad("stage", event.stage, ", ".join(STAGES))
    if event.stage == "TRANSLATED" and not 0 <= (event.batch_number or 0) < MOST_BATCHES:
        raise _bad("batch_number", event.batch_number, f"0 to {MOST_BATCHES - 1}")


def _bad(field: str, value: object, limit: str) -> PermanentError:
    return PermanentError(
        f"unknown_{field}", f"{field} is {value!r}", field=field, limit=limit, cure=f"send {limit}"
    )

"""What an event may say of its job, and whose word counts most. Pure; the ledger only compares weights.

A job is described by intake, which has read the whole request; before that by a worker, who knows its header,
by whoever accepted it unread, and last by the assembler, who may have answered it unseen. Of two equal ones
the later counts.
"""

from connectors.redis.job_ledger import BatchDone, Fact, JobUpdate
from connectors.redis.job_view import DETAIL
from schemas.errors import PermanentError
from schemas.messages import JobEvent
from schemas.priorities import parse_priority

# Stages in the order of their happening; a later one is never undone by an earlier one.
STAGES = ("ACCEPTED", "SEGMENTED", "TRANSLATED", "FINISHED")
_AUTHORITY = {"SEGMENTED": 4, "TRANSLATED": 3, "ACCEPTED": 2, "FINISHED": 1}

# A time in milliseconds has 13 digits until the year 2286; a bitmap of this many batches has 12 kB.
_RANK = 10**14
_MOST_BATCHES = 100_000


def update_of(event: JobEvent) -> JobUpdate:
    """Raises PermanentError naming the field for an event that no stage sends."""
    _check(event)
    return JobUpdate(event.request_id, {**_described(event), **_happened(event)}, _batch(event))


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
    return rank * _RANK + min(max(at_ms, 0), _RANK - 1)


def _check(event: JobEvent) -> None:
    parse_priority(event.priority)
    if event.stage not in STAGES:
        raise _bad("stage", event.stage, ", ".join(STAGES))
    if event.stage == "TRANSLATED" and not 0 <= (event.batch_number or 0) < _MOST_BATCHES:
        raise _bad("batch_number", event.batch_number, f"0 to {_MOST_BATCHES - 1}")


def _bad(field: str, value: object, limit: str) -> PermanentError:
    return PermanentError(
        f"unknown_{field}", f"{field} is {value!r}", field=field, limit=limit, cure=f"send {limit}"
    )

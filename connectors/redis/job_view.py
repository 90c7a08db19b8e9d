"""Read what callers see of a job: how far it is, its position in the queue, and when it may be done.

connectors/redis/job_ledger.py writes it and describes the keys.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from connectors.redis.client import Client, redis_errors, run_all
from connectors.redis.job_ledger import QueuePosition, job_keys, queue_position_call, queue_position_of, unstamped
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.priorities import Priority
from schemas.states import JobStage, ResultStatus, parse_member, parse_optional_member

# Before the name of a fact that is a detail.
DETAIL = "detail."

_COUNTERS = ("segments_done", "batches_done", "words_done")
_NUMBERS = ("segments", "batches", "words", "cached_segments", "submitted_at", "updated_at")
_TEXTS = ("priority", "pool")


@dataclass(frozen=True, kw_only=True)
class JobView:
    """Times are milliseconds since the epoch. `status` and `progress` 1.0 come with the stage FINISHED.

    `queue_position`: requests of the same or a higher priority ahead. None where it is not known (any more).
    """

    key: JobKey
    stage: JobStage = JobStage.ACCEPTED
    status: ResultStatus | None = None
    priority: str = Priority.STANDARD
    pool: str = "default"
    progress: float = 0.0
    segments: int = 0
    segments_done: int = 0
    batches: int = 0
    batches_done: int = 0
    words: int = 0
    words_done: int = 0
    cached_segments: int = 0
    queue_position: int | None = None
    estimated_completion_seconds: float | None = None
    submitted_at: int = 0
    updated_at: int = 0
    detail: Mapping[str, str] = field(default_factory=dict)


class JobViews:
    """For threads. `clock` gives seconds since the epoch. Raises TransientError."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def read(self, key: JobKey) -> JobView | None:
        """Return the view; None for a job that nobody has reported, or whose view has expired."""
        with redis_errors():
            fields = cast(dict[bytes, bytes], self._client.hgetall(job_keys(key)[0]))
        if not fields:
            return None
        view = view_of(key, fields)
        return view if view.status or not view.words else self._with_position(view)

    def _with_position(self, view: JobView) -> JobView:
        now_ms = round(self._clock() * 1000)
        call = queue_position_call(view.key, view.pool, Priority(view.priority), now_ms)
        position = queue_position_of(run_all(self._client, [call])[0])
        return _positioned(view, position) if position else view


def view_of(key: JobKey, fields: Mapping[bytes, bytes]) -> JobView:
    """Build the view from the fields of the hash, without a position in the queue."""
    values: dict[str, Any] = {name: int(fields.get(name.encode(), 0)) for name in _COUNTERS}
    facts = {name.decode(): unstamped(value) for name, value in fields.items() if name.decode() not in _COUNTERS}
    values |= {name: int(facts[name]) for name in _NUMBERS if name in facts}
    values |= {name: facts[name] for name in _TEXTS if name in facts}
    view = JobView(
        key=key,
        stage=parse_member(JobStage, "stage", facts.get("stage", JobStage.ACCEPTED)),
        status=parse_optional_member(ResultStatus, "status", facts.get("status")),
        detail={name.removeprefix(DETAIL): value for name, value in facts.items() if name.startswith(DETAIL)},
        **values,
    )
    return replace(view, progress=_progress(view))


def header_of(view: JobView) -> Job:
    """Build the header as far as the view knows it, for orders that may come before any batch of the request."""
    return Job(
        priority=view.priority,
        pool=view.pool,
        source_language=view.detail.get("source_language", ""),
        target_language=view.detail.get("target_language", ""),
        segments=view.segments,
        batches=view.batches,
        words=view.words,
        submitted_at=view.submitted_at,
    )


def _progress(view: JobView) -> float:
    if view.status:
        return 1.0
    done, whole = (view.segments_done, view.segments) if view.segments else (view.batches_done, view.batches)
    return min(done / whole, 1.0) if whole else 0.0


def _positioned(view: JobView, position: QueuePosition) -> JobView:
    words = position.words_ahead + max(view.words - view.words_done, 0)
    speed = position.words_per_second
    return replace(
        view,
        queue_position=position.jobs_ahead,
        estimated_completion_seconds=words / speed if speed else None,
    )

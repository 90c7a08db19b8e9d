"""Read what callers see of a job. Nobody keeps a view: it is put together from what each process notes anyway.

HTTP notes that a request is accepted, intake how much work it is, assembly how many batches have arrived and that
the request is answered (connectors/redis/request_markers.py, slots.py). Each has a key of its own, so nothing is
merged when it is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple, cast

from connectors.redis.client import AsyncClient, Client, redis_errors
from connectors.redis.request_markers import accepted_key, planned_key
from connectors.redis.shared_trips import SharedTrips
from connectors.redis.slots import (
    completion_of,
    done_key,
    erased_at_of,
    erased_key,
    filled_field,
    result_key,
    slot_field,
    slots_key,
)
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.plans import RequestPlan
from schemas.priorities import Priority
from schemas.records import StoredAt
from schemas.slots import RequestRevision
from schemas.states import JobStage, RequestKind, ResultStatus, parse_optional_member

# Keys of a view and the result of one job.
_NAMES = 5


@dataclass(frozen=True, kw_only=True)
class JobView:
    """Times are milliseconds since the epoch. `status` and `progress` 1.0 come with the stage FINISHED.

    Of a document it tells what is known of its file.

    `last_batch` is where the last batch waits for a worker; None before intake has read the request, and after a
    part of it has come back.
    """

    key: JobKey
    stage: JobStage = JobStage.ACCEPTED
    status: ResultStatus | None = None
    priority: str = Priority.STANDARD
    pool: str = "default"
    source_language: str = ""
    target_language: str = ""
    progress: float = 0.0
    segments: int = 0
    batches: int = 0
    batches_done: int = 0
    words: int = 0
    cached_segments: int = 0
    submitted_at: int = 0
    updated_at: int = 0
    kind: str = RequestKind.TEXT
    file_name: str = ""
    content_type: str = ""
    content_bytes: int = 0
    pages: int | None = None
    last_batch: StoredAt | None = None
    erased_at: int | None = None


class JobRecord(NamedTuple):
    """What the state holds of a job: its view, and its encoded result. Either may be missing.

    `batches`: those that were asked for, encoded.
    """

    view: JobView | None
    result: bytes | None
    batches: Sequence[bytes] = ()


class JobViews:
    """For threads. Raises TransientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, key: JobKey) -> JobView | None:
        """Return the view; None for a job of which nothing is known (any more)."""
        with redis_errors():
            values = cast(list[bytes | None], self._client.mget(_names(key)))
        return view_of(key, values, batches_done=0)


class Look(NamedTuple):
    """A question about one job. `first`: its translated batches are wanted from that number on; None: none."""

    key: JobKey
    first: int | None = None
    most: int = 0

    def fields(self, plan: RequestPlan) -> list[str]:
        """Name what is wanted of the slots of an open request: how many are filled, then the batches."""
        start = self.first or 0
        wanted = range(start, min(start + self.most, plan.batches))
        return [filled_field(plan.split), *(slot_field(plan.split, number) for number in wanted)]


class AsyncJobViews:
    """For an event loop. Raises TransientError.

    However many look, one question goes to Redis at a time: all who look meanwhile share the next one.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._trips: SharedTrips[Look, JobRecord] = SharedTrips(self._look_all)

    async def look(self, key: JobKey) -> JobRecord:
        """Return what is known: one round trip, and a second one for the progress of an open document."""
        return await self._trips.ask(Look(key))

    async def follow(self, key: JobKey, first: int, most: int) -> JobRecord:
        """Return what is known, with the translated batches from number `first` on until one is missing.

        At most `most`; none of a request of one batch, and none once the request is answered.
        """
        return await self._trips.ask(Look(key, first, most))

    async def results(self, keys: Sequence[JobKey]) -> list[bytes | None]:
        """Return the encoded results of these jobs; None for each that has none. One round trip."""
        with redis_errors():
            return cast(list[bytes | None], await self._client.mget(list(map(result_key, keys))))

    async def _look_all(self, looks: Sequence[Look]) -> list[JobRecord]:
        names = [name for look in looks for name in _names(look.key)]
        with redis_errors():
            values = cast(list[bytes | None], await self._client.mget(names))
        found = [values[start : start + _NAMES] for start in range(0, len(values), _NAMES)]
        views = [view_of(look.key, some, batches_done=0) for look, some in zip(looks, found, strict=True)]
        slots = iter(await self._slots(looks, found, views))
        return [
            _record(look, some, next(slots) if _has_slots(view) else None)
            for look, some, view in zip(looks, found, views, strict=True)
        ]

    async def _slots(
        self, looks: Sequence[Look], found: Sequence[Sequence[bytes | None]], views: Sequence[JobView | None]
    ) -> list[list[bytes | None]]:
        """Return the slots of the jobs that have some: one round trip, or none."""
        wanted = [
            (slots_key(RequestRevision(look.key)), look.fields(_plan_of(some[1] or b"{}")))
            for look, some, view in zip(looks, found, views, strict=True)
            if _has_slots(view)
        ]
        if not wanted:
            return []
        with redis_errors():
            async with self._client.pipeline(transaction=False) as pipeline:
                for name, fields in wanted:
                    pipeline.hmget(name, fields)
                return list(await pipeline.execute())


def _has_slots(view: JobView | None) -> bool:
    return view is not None and view.stage is JobStage.SEGMENTED and view.batches > 1


def _record(look: Look, values: Sequence[bytes | None], slots: list[bytes | None] | None) -> JobRecord:
    filled, *batches = slots or [None]
    present = takewhile(lambda value: value is not None, batches)
    view = view_of(look.key, values, batches_done=int(filled or 0))
    return JobRecord(view, values[-1], tuple(value for value in present if value is not None))


def header_of(view: JobView) -> Job:
    """Build the header as far as the view knows it, for orders that may come before any batch of the request."""
    return Job(
        priority=view.priority,
        pool=view.pool,
        source_language=view.source_language,
        target_language=view.target_language,
        segments=view.segments,
        batches=view.batches,
        words=view.words,
        submitted_at=view.submitted_at,
    )


def view_names(key: JobKey) -> list[str]:
    """Name what a view is put together from."""
    return [accepted_key(key), planned_key(key), done_key(RequestRevision(key)), erased_key(key)]


def _names(key: JobKey) -> list[str]:
    return [*view_names(key), result_key(key)]


def view_of(key: JobKey, values: Sequence[bytes | None], batches_done: int) -> JobView | None:
    """Build the view from the values of `view_names`; None where there are none."""
    accepted, planned, done, erased = values[:4]
    completion = completion_of(done)
    if accepted is None and planned is None and completion is None:
        return None
    plan = _plan_of(planned or accepted or b"{}")
    is_planned, is_finished = planned is not None, completion is not None
    stage = _stage(plan, batches_done) if is_planned else JobStage.ACCEPTED
    return JobView(
        key=key,
        stage=JobStage.FINISHED if is_finished else stage,
        status=parse_optional_member(ResultStatus, "status", completion.status) if completion else None,
        priority=plan.priority,
        pool=plan.pool,
        source_language=plan.source_language,
        target_language=plan.target_language,
        progress=1.0 if is_finished else min(batches_done / plan.batches, 1.0) if plan.batches else 0.0,
        segments=plan.segments,
        batches=plan.batches,
        batches_done=plan.batches if is_finished else batches_done,
        words=plan.words,
        cached_segments=plan.cached_segments,
        submitted_at=plan.submitted_at,
        updated_at=completion.at_ms if completion else plan.noted_at,
        last_batch=None if is_finished else plan.last_batch,
        kind=plan.kind,
        file_name=plan.file_name,
        content_type=plan.content_type,
        content_bytes=plan.content_bytes,
        pages=plan.pages,
        erased_at=erased_at_of(erased),
    )


@lru_cache(maxsize=10_000)
def _plan_of(encoded: bytes) -> RequestPlan:
    """Decode a plan once, however many look at its job and however often."""
    return RequestPlan.decode(encoded)


def _stage(plan: RequestPlan, batches_done: int) -> JobStage:
    """Return how far a request is that intake has read and nobody has answered."""
    if plan.kind == RequestKind.DOCUMENT:
        if not plan.batches:
            return JobStage.EXTRACTING
        if batches_done >= plan.batches:
            return JobStage.MERGING
    return JobStage.TRANSLATED if batches_done else JobStage.SEGMENTED

"""Backpressure: refuse a request at once, with 503 and Retry-After, when it would wait too long.

A request waits twice, in its topic for intake and then as batches for the workers. While callers come, Kafka is
asked for both queues every few seconds, off the path of requests. Two readings give the rate at which the queues
are worked off, rate and queues give the wait of one more request, and the wait is compared with the limits.

Long requests wait in lanes of their own (schemas/lanes.py), so a book refuses no sentence of its priority.

A refused caller has lost nothing, because nothing was sent. What is refused to the urgent is refused to the less
urgent too, so critical requests are refused last.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, TypeVar

import structlog

from connectors.redis.job_view import JobView
from connectors.telemetry.metrics import (
    BACKPRESSURE_BACKLOG_RECORDS,
    BACKPRESSURE_READING_AGE_SECONDS,
    BACKPRESSURE_WAIT_SECONDS,
    HTTP_REFUSALS,
)
from producers.http.problems import OverloadedError
from producers.http.settings import BackpressureLimits
from schemas.errors import TransientError
from schemas.lanes import DEFAULT_BULK_WORDS, Lane, lane_of, lanes_up_to
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.topics import batches_topic
from stream_apps.pipeline.long_requests import expected_lane

log = structlog.get_logger()
_AS_URGENT = {one: tuple(Priority)[: number + 1] for number, one in enumerate(Priority)}

Q = TypeVar("Q", bound=StrEnum)


@dataclass(frozen=True)
class QueuePosition:
    """Batches that are served before the last one of a job, and the seconds they may take."""

    batches_ahead: int
    seconds: float


@dataclass(frozen=True)
class QueueCounts:
    """The records that consumer groups have still to take, and those taken since the topic began."""

    waiting: int = 0
    taken: int = 0


@dataclass(frozen=True)
class BacklogReading:
    """All queues at one moment. `at_seconds`: by any clock that never goes back.

    `committed`: topic and partition -> the offset up to which its group is done.
    """

    at_seconds: float
    requests: Mapping[Priority, QueueCounts]
    batches: Mapping[Lane, QueueCounts]
    committed: Mapping[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceRate:
    """How fast each queue is worked off, all priorities together."""

    requests_per_second: float
    batches_per_second: float
    batches_per_request: float = 1.0


@dataclass(frozen=True)
class QueueLoad:
    """The last reading, the rate, and the requests that this process has stored since the reading."""

    reading: BacklogReading
    rate: ServiceRate
    stored: Mapping[Priority, int] = field(default_factory=dict)

    def requests_before(self, priority: Priority) -> float:
        """Return the requests waiting for intake that are at least as urgent."""
        urgent = _AS_URGENT[priority]
        return _waiting(self.reading.requests, urgent) + sum(self.stored.get(one, 0) for one in urgent)

    def records_before(self, lane: Lane) -> float:
        """Return the batches that are served before, with those that waiting requests will be split into."""
        waiting = _waiting(self.reading.batches, lanes_up_to(lane))
        return waiting + self.requests_before(lane.priority) * self.rate.batches_per_request

    def wait_seconds(self, lane: Lane) -> float:
        """Return the time until a worker takes a new request of the lane, after the more urgent ones.

        Intake and workers run at the same time, so the slower one decides. The shares that less urgent work and
        bulk lanes are guaranteed meanwhile (inference_workers/priority_source.py) are not counted.
        """
        intake = self.requests_before(lane.priority) / self.rate.requests_per_second
        return max(intake, self.records_before(lane) / self.rate.batches_per_second)

    def with_request(self, priority: Priority) -> "QueueLoad":
        """Return the load with one stored request more."""
        return replace(self, stored={**self.stored, priority: self.stored.get(priority, 0) + 1})


@dataclass(frozen=True)
class Overload:
    """An exceeded limit (`wait` or `backlog`), in words, and the seconds until it probably no longer is."""

    cause: str
    message: str
    seconds: float


class BacklogSource(Protocol):
    """Reads the queues."""

    async def read(self) -> BacklogReading:
        """Read all queues now. Raises TransientError when Kafka does not answer."""


class Backpressure:
    """Holds the last reading and refuses by it. For one event loop; `clock` counts seconds."""

    def __init__(
        self,
        limits: BackpressureLimits,
        clock: Callable[[], float] = time.monotonic,
        bulk_words: int = DEFAULT_BULK_WORDS,
    ) -> None:
        self._limits = limits
        self._bulk_words = bulk_words
        self._clock = clock
        self._load: QueueLoad | None = None
        # A new process measures before its first caller.
        self._asked_at = clock()
        self._is_asked = asyncio.Event()

    async def wanted(self) -> None:
        """Return once a reading is of use: at once if a caller needed one of late, else when the next one does.

        Of late: as long as a reading counts. So no POST is refused because of a reading that was not renewed.
        """
        if self._clock() - self._asked_at > self._limits.reading_seconds:
            self._is_asked.clear()
            await self._is_asked.wait()

    def update(self, reading: BacklogReading) -> None:
        """Use this reading from now on."""
        first = self._limits.first_records_per_second
        rate = ServiceRate(first, first)
        if self._load is not None:
            rate = next_service_rate(self._load.rate, self._load.reading, reading, self._limits.smoothing_seconds)
        self._load = QueueLoad(reading, rate)
        self._show(self._load)

    def lane_of(self, request: TranslationRequest, priority: Priority) -> Lane:
        """Return where a request that is not cut yet will probably wait."""
        return expected_lane(request, priority, self._bulk_words)

    def check(self, lane: Lane) -> None:
        """Raise OverloadedError when a limit is exceeded. Without a recent reading, every request may pass.

        So may the first ones after a rest, until the reading that they cause is there.
        """
        load = self._current()
        overload = load and overload_of(load, lane, self._limits)
        if overload:
            HTTP_REFUSALS.labels(overload.cause, lane.priority).inc()
            raise OverloadedError(overload.message, retry_after_seconds(overload, self._limits))

    def count(self, priority: Priority) -> None:
        """Count one more request in the queue; the next reading will contain it."""
        if self._load is not None:
            self._load = self._load.with_request(priority)

    def ahead(self, lane: Lane) -> QueuePosition | None:
        """Tell what is ahead of a request that was just counted; None where that is not known."""
        if (load := self._current()) is None:
            return None
        load = replace(load, rate=_bounded(load.rate, self._limits))
        batches = max(round(load.records_before(lane) - load.rate.batches_per_request), 0)
        return QueuePosition(batches, load.wait_seconds(lane))

    def position(self, view: JobView) -> QueuePosition | None:
        """Tell what is ahead of the job's last batch; None where that is not known."""
        load = self._current()
        place, lane = view.last_batch, lane_of(Priority(view.priority), view.words, self._bulk_words)
        topic = batches_topic(view.pool, lane)
        if load is None or place is None or (topic, place.partition) not in load.reading.committed:
            return None
        before = max(place.offset - load.reading.committed[topic, place.partition], 0)
        partitions = sum(name == topic for name, _ in load.reading.committed)
        own = min(before * partitions, _waiting(load.reading.batches, [lane]))
        ahead = _waiting(load.reading.batches, lanes_up_to(lane)[:-1]) + own
        return QueuePosition(ahead, (ahead + 1) / _bounded(load.rate, self._limits).batches_per_second)

    def _current(self) -> QueueLoad | None:
        self._asked_at = self._clock()
        self._is_asked.set()
        if self._load is None:
            return None
        age_seconds = self._clock() - self._load.reading.at_seconds
        BACKPRESSURE_READING_AGE_SECONDS.set(age_seconds)
        # An unknown backlog is no reason to refuse: without Kafka no request is acknowledged anyway.
        return self._load if age_seconds <= self._limits.reading_seconds else None

    def _show(self, load: QueueLoad) -> None:
        shown = replace(load, rate=_bounded(load.rate, self._limits))
        for lane in Lane:
            BACKPRESSURE_BACKLOG_RECORDS.labels(lane).set(shown.records_before(lane))
            BACKPRESSURE_WAIT_SECONDS.labels(lane).set(shown.wait_seconds(lane))


async def measure_backlog(backpressure: Backpressure, backlog: BacklogSource, every_seconds: float) -> None:
    """Update `backpressure` with readings until cancelled. After a failed reading the last one stands."""
    while True:
        await backpressure.wanted()
        try:
            backpressure.update(await backlog.read())
        except TransientError as error:
            log.warning("backlog_not_measured", error=str(error))
        await asyncio.sleep(every_seconds)


def overload_of(load: QueueLoad, lane: Lane, limits: BackpressureLimits) -> Overload | None:
    """Return the longest overload of the lane and of more urgent short requests; None when there is room.

    A bulk lane that is too full refuses only what is long.
    """
    load = replace(load, rate=_bounded(load.rate, limits))
    asked = [lane, *(one for one in lanes_up_to(lane) if not one.is_bulk)]
    least = min(limits.wait_seconds(one.priority) for one in asked)
    # What the more urgent wait for is a part of what this one waits for.
    if load.wait_seconds(lane) <= least and load.records_before(lane) <= limits.max_backlog_records:
        return None
    found = [overload for one in asked for overload in _exceeded(load, one, limits)]
    return max(found, key=lambda overload: overload.seconds, default=None)


def retry_after_seconds(overload: Overload, limits: BackpressureLimits) -> int:
    """Return whole seconds, at least one and at most the configured limit."""
    return min(max(math.ceil(overload.seconds), 1), limits.max_retry_after_seconds)


def next_service_rate(
    rate: ServiceRate, before: BacklogReading, now: BacklogReading, smoothing_seconds: float
) -> ServiceRate:
    """Return the rate after another reading: an exponentially weighted mean with that time constant.

    A queue that ran dry shows what arrived, not what could be worked off: it can only raise the mean.
    """
    seconds = now.at_seconds - before.at_seconds
    if seconds <= 0:
        return rate
    weight = 1 - math.exp(-seconds / smoothing_seconds)
    requests = _Flow.between(before.requests, now.requests)
    batches = _Flow.between(before.batches, now.batches)
    made = batches.arrived / requests.taken if requests.taken else rate.batches_per_request
    return ServiceRate(
        requests.mean_rate(rate.requests_per_second, seconds, weight),
        batches.mean_rate(rate.batches_per_second, seconds, weight),
        # A request leads to one batch at least; those refused by intake lead to none.
        max(_weighted(rate.batches_per_request, made, weight), 1.0),
    )


@dataclass(frozen=True)
class _Flow:
    """The records of one kind of queue between two readings. Retention may let counts fall."""

    taken: int
    arrived: int
    least_waiting: int

    @classmethod
    def between(cls, before: Mapping[Q, QueueCounts], now: Mapping[Q, QueueCounts]) -> "_Flow":
        waited, waiting = _waiting(before, before), _waiting(now, now)
        taken = max(sum(queue.taken for queue in now.values()) - sum(queue.taken for queue in before.values()), 0)
        return cls(taken, max(taken + waiting - waited, 0), min(waited, waiting))

    def mean_rate(self, per_second: float, seconds: float, weight: float) -> float:
        observed = self.taken / seconds
        was_busy = self.least_waiting > 0 and self.least_waiting >= self.taken
        return _weighted(per_second, observed, weight) if was_busy else max(per_second, observed)


def _exceeded(load: QueueLoad, lane: Lane, limits: BackpressureLimits) -> list[Overload]:
    wait, longest = load.wait_seconds(lane), limits.wait_seconds(lane.priority)
    records, most = load.records_before(lane), limits.max_backlog_records
    found = []
    if wait > longest:
        message = f"{lane} requests would wait about {wait:.0f} s, the limit is {longest:g} s"
        found.append(Overload("wait", message, wait - longest))
    if records > most:
        message = f"about {records:.0f} records of {lane} or more urgent work wait, the limit is {most}"
        found.append(Overload("backlog", message, (records - most) / load.rate.batches_per_second))
    return found


def _bounded(rate: ServiceRate, limits: BackpressureLimits) -> ServiceRate:
    least = limits.least_records_per_second
    return ServiceRate(
        max(rate.requests_per_second, least), max(rate.batches_per_second, least), rate.batches_per_request
    )


def _waiting(queues: Mapping[Q, QueueCounts], wanted: Iterable[Q]) -> int:
    return sum(queues[one].waiting for one in wanted if one in queues)


def _weighted(mean: float, observed: float, weight: float) -> float:
    return mean + weight * (observed - mean)

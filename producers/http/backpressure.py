"""What waits before a new request, and how fast it is worked off, from two readings of Kafka. Pure.

A request waits twice: in its topic for intake, then as batches for the workers.

Whether one more request can be answered in time, judged by what Kafka said of the backlog a moment ago.

A refused caller has lost nothing: nothing was sent, and Retry-After says when to come back. What is refused to
the urgent is refused to the less urgent too, so critical requests are refused last.

Asks Kafka for the backlog every few seconds, off the path of requests.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from connectors.telemetry.metrics import (
    ADMISSION_BACKLOG_RECORDS,
    ADMISSION_READING_AGE_SECONDS,
    ADMISSION_WAIT_SECONDS,
    HTTP_REFUSALS,
)
from producers.http.problems import OverloadedError
from producers.http.settings import BackpressureLimits
from schemas.errors import TransientError
from schemas.priorities import Priority


@dataclass(frozen=True)
class QueueCounts:
    """Records that a consumer group has still to take, and those it has taken since the beginning."""

    waiting: int = 0
    taken: int = 0


@dataclass(frozen=True)
class BacklogReading:
    """All queues at one moment; `at_seconds` by any clock that never goes back."""

    at_seconds: float
    requests: Mapping[Priority, QueueCounts]
    batches: Mapping[Priority, QueueCounts]


@dataclass(frozen=True)
class ServiceRate:
    """How fast each queue is worked off, all priorities together."""

    requests_per_second: float
    batches_per_second: float
    batches_per_request: float = 1.0


@dataclass(frozen=True)
class QueueLoad:
    """The last reading, the pace, and the requests that this process accepted after the reading."""

    reading: BacklogReading
    pace: ServiceRate
    accepted: Mapping[Priority, int] = field(default_factory=dict)

    def requests_before(self, priority: Priority) -> float:
        """Requests for intake that are at least as urgent."""
        urgent = as_urgent_as(priority)
        return _waiting(self.reading.requests, urgent) + sum(self.accepted.get(one, 0) for one in urgent)

    def records_before(self, priority: Priority) -> float:
        """Batches for the workers that are at least as urgent, those of requests not yet split included."""
        waiting = _waiting(self.reading.batches, as_urgent_as(priority))
        return waiting + self.requests_before(priority) * self.pace.batches_per_request

    def wait_seconds(self, priority: Priority) -> float:
        """Until a new request of the priority is taken by a worker, the more urgent ones before it.

        Intake and workers run at the same time, so the slower one decides. What less urgent work is
        guaranteed meanwhile (inference_workers/priority_source.py) is not counted.
        """
        intake = self.requests_before(priority) / self.pace.requests_per_second
        return max(intake, self.records_before(priority) / self.pace.batches_per_second)

    def accepting(self, priority: Priority) -> "QueueLoad":
        """One request more."""
        return replace(self, accepted={**self.accepted, priority: self.accepted.get(priority, 0) + 1})


def as_urgent_as(priority: Priority) -> list[Priority]:
    """The priority and all before it."""
    return [one for one in Priority if list(Priority).index(one) <= list(Priority).index(priority)]


def next_service_rate(
    pace: ServiceRate, before: BacklogReading, now: BacklogReading, smoothing_seconds: float
) -> ServiceRate:
    """The pace after another reading: an exponentially weighted mean with that time constant.

    A queue that ran dry shows what came, not what could be worked off: it can only raise the mean.
    """
    seconds = now.at_seconds - before.at_seconds
    if seconds <= 0:
        return pace
    weight = 1 - math.exp(-seconds / smoothing_seconds)
    requests = _Passed.between(before.requests, now.requests)
    batches = _Passed.between(before.batches, now.batches)
    made = batches.arrived / requests.taken if requests.taken else pace.batches_per_request
    return ServiceRate(
        requests.mean(pace.requests_per_second, seconds, weight),
        batches.mean(pace.batches_per_second, seconds, weight),
        # A request leads to one batch at least; those refused by intake lead to none.
        max(_towards(pace.batches_per_request, made, weight), 1.0),
    )


@dataclass(frozen=True)
class _Passed:
    """What went through the queues of one kind between two readings. Retention may let counts fall."""

    taken: int
    arrived: int
    least_waiting: int

    @classmethod
    def between(cls, before: Mapping[Priority, QueueCounts], now: Mapping[Priority, QueueCounts]) -> "_Passed":
        waited, waiting = _waiting(before, Priority), _waiting(now, Priority)
        taken = max(sum(queue.taken for queue in now.values()) - sum(queue.taken for queue in before.values()), 0)
        return cls(taken, max(taken + waiting - waited, 0), min(waited, waiting))

    def mean(self, per_second: float, seconds: float, weight: float) -> float:
        observed = self.taken / seconds
        was_busy = self.least_waiting > 0 and self.least_waiting >= self.taken
        return _towards(per_second, observed, weight) if was_busy else max(per_second, observed)


def _waiting(queues: Mapping[Priority, QueueCounts], priorities: Iterable[Priority]) -> int:
    return sum(queues[priority].waiting for priority in priorities if priority in queues)


def _towards(mean: float, observed: float, weight: float) -> float:
    return mean + weight * (observed - mean)


@dataclass(frozen=True)
class Overload:
    """Which bound is exceeded (`wait` or `backlog`), in words, and for how many seconds it probably stays so."""

    cause: str
    message: str
    seconds: float


def overload_of(load: QueueLoad, priority: Priority, limits: BackpressureLimits) -> Overload | None:
    """The refusal that lasts longest of those that hold for the priority or a more urgent one."""
    load = replace(load, pace=_bounded(load.pace, limits))
    found = [refusal for urgent in as_urgent_as(priority) for refusal in _exceeded(load, urgent, limits)]
    return max(found, key=lambda refusal: refusal.seconds, default=None)


def retry_after_seconds(refusal: Overload, limits: BackpressureLimits) -> int:
    """Whole seconds within the configured bounds."""
    return min(max(math.ceil(refusal.seconds), 1), limits.max_retry_after_seconds)


def _exceeded(load: QueueLoad, priority: Priority, limits: BackpressureLimits) -> list[Overload]:
    wait, longest = load.wait_seconds(priority), limits.wait_seconds(priority)
    records, most = load.records_before(priority), limits.max_backlog_records
    found = []
    if wait > longest:
        message = f"{priority} requests would wait about {wait:.0f} s; at most {longest:g} s are promised"
        found.append(Overload("wait", message, wait - longest))
    if records > most:
        message = f"about {records:.0f} records of {priority} or more urgent work wait; {most} may"
        found.append(Overload("backlog", message, (records - most) / load.pace.batches_per_second))
    return found


def _bounded(pace: ServiceRate, limits: BackpressureLimits) -> ServiceRate:
    least = limits.least_records_per_second
    return ServiceRate(
        max(pace.requests_per_second, least), max(pace.batches_per_second, least), pace.batches_per_request
    )


class Backpressure:
    """The last reading and the rule, joined. For one event loop; `clock` counts seconds."""

    def __init__(self, limits: BackpressureLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._load: QueueLoad | None = None

    def measured(self, reading: BacklogReading) -> None:
        """Judge by this reading from now on."""
        first = self._limits.first_records_per_second
        pace = ServiceRate(first, first)
        if self._load is not None:
            pace = next_service_rate(self._load.pace, self._load.reading, reading, self._limits.smoothing_seconds)
        self._load = QueueLoad(reading, pace)
        self._show(self._load)

    def check(self, priority: Priority) -> None:
        """Raises OverloadedError. Refuses nobody before the first reading and when the last one is too old."""
        load = self._current()
        refusal = load and overload_of(load, priority, self._limits)
        if refusal:
            HTTP_REFUSALS.labels(refusal.cause, priority).inc()
            raise OverloadedError(refusal.message, retry_after_seconds(refusal, self._limits))

    def accepted(self, priority: Priority) -> None:
        """One more waits; the next reading will show it."""
        if self._load is not None:
            self._load = self._load.accepting(priority)

    def _current(self) -> QueueLoad | None:
        if self._load is None:
            return None
        age_seconds = self._clock() - self._load.reading.at_seconds
        ADMISSION_READING_AGE_SECONDS.set(age_seconds)
        # What is not known refuses nobody: without Kafka no request is acknowledged anyway.
        return self._load if age_seconds <= self._limits.reading_seconds else None

    def _show(self, load: QueueLoad) -> None:
        judged = replace(load, pace=_bounded(load.pace, self._limits))
        for priority in Priority:
            ADMISSION_BACKLOG_RECORDS.labels(priority).set(judged.records_before(priority))
            ADMISSION_WAIT_SECONDS.labels(priority).set(judged.wait_seconds(priority))


log = structlog.get_logger()


class BacklogSource(Protocol):
    """Where readings come from."""

    async def read(self) -> BacklogReading:
        """The queues right now. Raises TransientError when Kafka cannot be asked."""


async def measure_backlog(admission: Backpressure, backlog: BacklogSource, every_seconds: float) -> None:
    """Until cancelled. After a failure the last reading stands."""
    while True:
        try:
            admission.measured(await backlog.read())
        except TransientError as error:
            log.warning("backlog_not_measured", error=str(error))
        await asyncio.sleep(every_seconds)

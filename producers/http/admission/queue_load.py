"""Estimate how long a request would wait, from readings of the queues, and what exceeds the limits. Pure.

Two readings give the rate at which the queues are worked off; rate and queues give the wait of one more request.
Long requests wait in lanes of their own (schemas/lanes.py), so a book delays no sentence of its priority.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from producers.http.settings import BackpressureLimits
from schemas.lanes import Lane, lanes_up_to
from schemas.priorities import Priority

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

    # Every POST asks several times; a reading lasts for seconds.
    @cached_property
    def requests_before(self) -> Mapping[Priority, int]:
        """Count the waiting requests that are as urgent as each priority, or more."""
        return {one: waiting(self.requests, urgent) for one, urgent in _AS_URGENT.items()}

    @cached_property
    def batches_before(self) -> Mapping[Lane, int]:
        """Count the waiting batches of each lane and of those that are served before it."""
        return {lane: waiting(self.batches, lanes_up_to(lane)) for lane in Lane}


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
        stored = sum(self.stored.get(one, 0) for one in _AS_URGENT[priority])
        return self.reading.requests_before[priority] + stored

    def records_before(self, lane: Lane) -> float:
        """Return the batches that are served before, with those that waiting requests will be split into."""
        to_come = self.requests_before(lane.priority) * self.rate.batches_per_request
        return self.reading.batches_before[lane] + to_come

    def wait_seconds(self, lane: Lane) -> float:
        """Return the time until a worker takes a new request of the lane, after the more urgent ones.

        Intake and workers run at the same time, so the slower one decides. The shares that less urgent work and
        bulk lanes are guaranteed meanwhile (inference_workers/priority_credit.py) are not counted.
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


def overload_of(load: QueueLoad, lane: Lane, limits: BackpressureLimits) -> Overload | None:
    """Return the longest overload of the lane and of more urgent short requests; None when there is room.

    A bulk lane that is too full refuses only what is long.
    """
    load = replace(load, rate=bounded(load.rate, limits))
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
        waited, waits = waiting(before, before), waiting(now, now)
        taken = max(sum(queue.taken for queue in now.values()) - sum(queue.taken for queue in before.values()), 0)
        return cls(taken, max(taken + waits - waited, 0), min(waited, waits))

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


def bounded(rate: ServiceRate, limits: BackpressureLimits) -> ServiceRate:
    """Return the rate, and no less than the limits take for granted."""
    least = limits.least_records_per_second
    return ServiceRate(
        max(rate.requests_per_second, least), max(rate.batches_per_second, least), rate.batches_per_request
    )


def waiting(queues: Mapping[Q, QueueCounts], wanted: Iterable[Q]) -> int:
    """Count the records that wait in those of the queues that are wanted."""
    return sum(queues[one].waiting for one in wanted if one in queues)


def _weighted(mean: float, observed: float, weight: float) -> float:
    return mean + weight * (observed - mean)

"""What waits before a new request, and how fast it is worked off, from two readings of Kafka. Pure.

A request waits twice: in its topic for intake, then as batches for the workers.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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
        guaranteed meanwhile (inference_workers/priorities.py) is not counted.
        """
        intake = self.requests_before(priority) / self.pace.requests_per_second
        return max(intake, self.records_before(priority) / self.pace.batches_per_second)

    def accepting(self, priority: Priority) -> "QueueLoad":
        """One request more."""
        return replace(self, accepted={**self.accepted, priority: self.accepted.get(priority, 0) + 1})


def as_urgent_as(priority: Priority) -> list[Priority]:
    """The priority and all before it."""
    return [one for one in Priority if list(Priority).index(one) <= list(Priority).index(priority)]


def next_service_rate(pace: ServiceRate, before: BacklogReading, now: BacklogReading, smoothing_seconds: float) -> ServiceRate:
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

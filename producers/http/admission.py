"""Whether one more request can be answered in time, judged by what Kafka said of the backlog a moment ago.

A refused caller has lost nothing: nothing was sent, and Retry-After says when to come back. What is refused to
the urgent is refused to the less urgent too, so critical requests are refused last.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from connectors.telemetry.metrics import (
    ADMISSION_BACKLOG_RECORDS,
    ADMISSION_READING_AGE_SECONDS,
    ADMISSION_WAIT_SECONDS,
    HTTP_REFUSALS,
)
from producers.http.load import QueueLoad, ServiceRate, BacklogReading, as_urgent_as, next_service_rate
from producers.http.problems import OverloadedError
from producers.http.settings import BackpressureLimits
from schemas.priorities import Priority


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

"""Backpressure: refuse a request at once, with 503 and Retry-After, when it would wait too long.

A request waits twice, in its topic for intake and then as batches for the workers. While callers come, Kafka is
asked for both queues every few seconds, off the path of requests. Two readings give the rate at which the queues
are worked off, rate and queues give the wait of one more request, and the wait is compared with the limits.

Long requests wait in lanes of their own (schemas/lanes.py), so a book refuses no sentence of its priority.

A refused caller has lost nothing, because nothing was sent. What is refused to the urgent is refused to the less
urgent too, so critical requests are refused last.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from connectors.redis.job_view import JobView
from connectors.telemetry.metrics import (
    BACKPRESSURE_BACKLOG_RECORDS,
    BACKPRESSURE_READING_AGE_SECONDS,
    BACKPRESSURE_WAIT_SECONDS,
    HTTP_REFUSALS,
)
from producers.http.admission.queue_load import (
    BacklogReading,
    QueueLoad,
    QueuePosition,
    ServiceRate,
    bounded,
    next_service_rate,
    overload_of,
    retry_after_seconds,
    waiting,
)
from producers.http.errors import OverloadedError
from producers.http.settings import BackpressureLimits
from schemas.errors import TransientError
from schemas.lanes import DEFAULT_BULK_WORDS, Lane, lane_of, lanes_up_to
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.topics import batches_topic
from stream_apps.pipeline.long_requests import expected_lane

log = structlog.get_logger()


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
        self._asked_at = self._moved_at = clock()
        self._is_asked = asyncio.Event()

    async def wanted(self) -> None:
        """Return once a reading is of use: at once if a caller needed one of late, else when the next one does.

        Of late: as long as a reading counts. So no POST is refused because of a reading that was not renewed.
        While the queues move they are measured for the metrics, too: what they show at rest is what is left.
        """
        if self._clock() - max(self._asked_at, self._moved_at) > self._limits.reading_seconds:
            self._is_asked.clear()
            await self._is_asked.wait()

    def update(self, reading: BacklogReading) -> None:
        """Use this reading from now on."""
        first = self._limits.first_records_per_second
        rate = ServiceRate(first, first)
        if self._load is not None:
            before = self._load.reading
            rate = next_service_rate(self._load.rate, before, reading, self._limits.smoothing_seconds)
            if (before.requests, before.batches) != (reading.requests, reading.batches):
                self._moved_at = self._clock()
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
        load = replace(load, rate=bounded(load.rate, self._limits))
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
        own = min(before * partitions, waiting(load.reading.batches, [lane]))
        ahead = waiting(load.reading.batches, lanes_up_to(lane)[:-1]) + own
        return QueuePosition(ahead, (ahead + 1) / bounded(load.rate, self._limits).batches_per_second)

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
        shown = replace(load, rate=bounded(load.rate, self._limits))
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

"""Is a consuming process getting on? Judged from outside its client: by what its group has committed."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from connectors.kafka.admin import PartitionLag
from connectors.telemetry.health import Health

Place = tuple[str, int]


class LagSource(Protocol):
    """Kafka's word on the group (connectors.kafka.admin.KafkaAdmin)."""

    def lag(self, group: str, topics: list[str]) -> list[PartitionLag]:
        """Raises TransientError when Kafka is away."""


class ConsumerHealth:
    """Beats while there is nothing to do, while commits advance, or while it is known what is waited for.

    A consumer that has silently stopped (no fetches, dead agent, stalled commits) does none of these. Thread-safe:
    the loop says that it waits or works, another thread may measure.
    """

    def __init__(self, health: Health, recent_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._health = health
        self._recent_seconds = recent_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting_since = float("-inf")
        self._waits_for = ""
        self._obstacle = health.reason
        self._committed = -1

    def waits(self, reason: str) -> None:
        """A part that is needed is away; waiting for it is no silence."""
        with self._lock:
            self._waiting_since = self._clock()
            self._waits_for = reason
            self._tell()

    def works(self) -> None:
        """Nothing is waited for any more, so the next measurement need not be waited for either."""
        with self._lock:
            self._waits_for = ""
            self._tell()

    def look(
        self, lags: Sequence[PartitionLag], assigned: Collection[Place], *, unsettled: str = "", obstacle: str = ""
    ) -> None:
        """One measurement of the whole group, and what this member holds of it.

        `unsettled` says why nobody can tell yet what it holds: for long, that is death. `obstacle` says why it
        has nothing to do, which is no failure. Both mean: not ready.
        """
        with self._lock:
            self._obstacle = unsettled or obstacle
            if not self._waited_lately():
                self._waits_for = ""
            self._tell()
        mine = [lag for lag in lags if (lag.topic, lag.partition) in assigned]
        committed = sum(max(lag.committed, 0) for lag in mine)
        idle = not unsettled and not any(lag.records for lag in mine)
        if idle or self._waited_lately() or committed != self._committed:
            self._health.beat()
        self._committed = committed

    def kafka_is_away(self, reason: str) -> None:
        """Nothing can be measured, and a restart would not help."""
        with self._lock:
            self._obstacle = reason
            self._tell()
        self._health.beat()

    def _tell(self) -> None:
        if self._obstacle:
            self._health.not_ready(self._obstacle)
        elif self._waits_for:
            self._health.not_ready(f"waiting: {self._waits_for}")
        else:
            self._health.ready()

    def _waited_lately(self) -> bool:
        # Whether it works in between or not: between two pauses a process is not silent.
        return self._clock() - self._waiting_since < self._recent_seconds

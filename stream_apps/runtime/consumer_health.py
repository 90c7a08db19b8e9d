"""Is a consuming process getting on? Judged from outside its client: by what its group has committed.

Measures the progress of a transactional process on a thread of its own, and tells its health.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from connectors.kafka.admin import open_lag_reader
from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.static_membership import close_readers
from connectors.telemetry.health import Health
from schemas.errors import TransientError
from stream_apps.runtime.process import Shutdown

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


_FIRST_SECONDS = 0.3
_RECENT_SECONDS = 30.0
_JOIN_SECONDS = 2.0


class ConsumerHealthMonitor:
    """Start it once the readers have subscribed, stop it before they are closed."""

    def __init__(self, settings: KafkaSettings, readers: Sequence[GroupReader], health: Health) -> None:
        self._lags_of = open_lag_reader(settings)
        self.readers = readers
        self._health = health
        self._interval_seconds = settings.progress_interval_seconds
        # Longer than the longest pause of a cycle and two measurements.
        self._consumer_health = ConsumerHealth(health, _RECENT_SECONDS + 2 * self._interval_seconds)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Measures often until the process is ready, then at the interval."""
        self._thread.start()

    def waits(self, reason: str) -> None:
        """The cycle waits for a part that is away."""
        self._consumer_health.waits(reason)

    def works(self) -> None:
        """The cycle does not wait any more."""
        self._consumer_health.works()

    def stop(self) -> None:
        """No reader is asked any more once it returns."""
        self._stopped.set()
        if self._thread.is_alive():
            # Not for ever: it may wait for a broker that is away.
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(_FIRST_SECONDS if self._health.reason else self._interval_seconds):
            self._measure()

    def _measure(self) -> None:
        memberships = [(reader.group, reader.membership) for reader in self.readers]
        unsettled = ", ".join(group for group, membership in memberships if not membership.is_member)
        assigned = [place for _, membership in memberships for place in membership.partitions]
        try:
            lags = list(self._lags(assigned))
        except TransientError as error:
            self._consumer_health.kafka_is_away(str(error))
            return
        self._consumer_health.look(lags, assigned, unsettled=f"not a member of {unsettled}" if unsettled else "")

    def _lags(self, assigned: Sequence[tuple[str, int]]) -> Iterable[PartitionLag]:
        for reader in self.readers:
            held = {topic for topic, _ in assigned if topic in reader.topics}
            if held:
                yield from self._lags_of.lag(reader.group, sorted(held))


@contextmanager
def joined(
    settings: KafkaSettings, instance: str, monitor: ConsumerHealthMonitor, shutdown: Shutdown
) -> Iterator[None]:
    """Join the groups of the monitor's readers and measure their progress; leave them at the end.

    A process that was told to stop gives its static names up; one that failed comes back under them.
    """
    for reader in monitor.readers:
        reader.subscribe()
    monitor.start()
    try:
        yield
    finally:
        monitor.stop()
        close_readers(settings, monitor.readers, instance, for_good=shutdown.is_wanted())

"""Tell whether a consuming process gets on, measured outside its client: by what its group has committed.

`ConsumerHealth` is the rule. `ConsumerHealthMonitor` applies it to a transactional process, on a thread of its
own; a Faust process measures in its event loop (event_process.py). `joined` wraps the loop of a transactional
process: join the groups, measure, leave.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from connectors.kafka.admin import open_lag_reader
from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.group_member import GroupMember
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.static_membership import close_readers
from connectors.telemetry.health import Health
from schemas.errors import TransientError
from stream_apps.runtime.process import Shutdown

_STARTING_INTERVAL_SECONDS = 0.3
_RECENT_SECONDS = 30.0
_THREAD_END_SECONDS = 2.0


class ConsumerHealth:
    """Beats while there is nothing to do, while commits advance, or while a known dependency is waited for.

    A consumer that silently stopped (no fetches, a dead agent, stalled commits) does none of these. A wait counts
    as recent for `recent_seconds`; `clock` counts seconds. Thread-safe and never blocks for long: the loop reports
    that it waits or works, another thread may measure.
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
        """Report that a dependency is down and why. Waiting for it counts as alive, but as not ready."""
        with self._lock:
            self._waiting_since = self._clock()
            self._waits_for = reason
            self._show()

    def works(self) -> None:
        """Report that nothing is waited for any more: readiness returns at once, not at the next measurement."""
        with self._lock:
            self._waits_for = ""
            self._show()

    def measured(
        self,
        lags: Sequence[PartitionLag],
        assigned: Collection[tuple[str, int]],
        *,
        unsettled: str = "",
        obstacle: str = "",
    ) -> None:
        """Report one measurement: the lags of the whole group, and the (topic, partition) pairs of this member.

        `unsettled` says why the assignment is not known yet; if that lasts, the process counts as dead.
        `obstacle` says why the member has nothing to do, which is no failure. Both mean: not ready.
        """
        with self._lock:
            self._obstacle = unsettled or obstacle
            if not self._waited_recently():
                self._waits_for = ""
            self._show()
        mine = [lag for lag in lags if (lag.topic, lag.partition) in assigned]
        committed = sum(max(lag.committed, 0) for lag in mine)
        is_idle = not unsettled and not any(lag.records for lag in mine)
        if is_idle or self._waited_recently() or committed != self._committed:
            self._health.beat()
        self._committed = committed

    def kafka_unreachable(self, reason: str) -> None:
        """Report that Kafka did not answer. The process counts as alive, as a restart would not help."""
        with self._lock:
            self._obstacle = reason
            self._show()
        self._health.beat()

    def _show(self) -> None:
        if self._obstacle:
            self._health.not_ready(self._obstacle)
        elif self._waits_for:
            self._health.not_ready(f"waiting: {self._waits_for}")
        else:
            self._health.ready()

    def _waited_recently(self) -> bool:
        # Whether or not it worked in between: a process that alternates between both is not silent.
        return self._clock() - self._waiting_since < self._recent_seconds


class ConsumerHealthMonitor:
    """Measures the groups of the readers on a thread of its own, and reports to `health`.

    Start it once the readers have subscribed, and stop it before they are closed; `joined` does both.
    """

    def __init__(self, settings: KafkaSettings, readers: Sequence[GroupMember], health: Health) -> None:
        self._lag_reader = open_lag_reader(settings)
        self.readers = readers
        self._health = health
        self._interval_seconds = settings.progress_interval_seconds
        # Longer than the longest pause of a cycle and two measurements.
        self._consumer_health = ConsumerHealth(health, _RECENT_SECONDS + 2 * self._interval_seconds)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Measure several times a second until the process is ready, then at the interval. Returns at once."""
        self._thread.start()

    def waits(self, reason: str) -> None:
        """Report that the loop waits for a dependency that is down."""
        self._consumer_health.waits(reason)

    def works(self) -> None:
        """Report that the loop does not wait any more."""
        self._consumer_health.works()

    def stop(self) -> None:
        """Stop measuring. Blocks for two seconds at most, as the thread may be waiting for Kafka."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_THREAD_END_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(
            _STARTING_INTERVAL_SECONDS if self._health.reason else self._interval_seconds
        ):
            self._measure()

    def _measure(self) -> None:
        memberships = [(reader.group, reader.membership) for reader in self.readers]
        unsettled = ", ".join(group for group, membership in memberships if not membership.is_member)
        assigned = [partition for _, membership in memberships for partition in membership.partitions]
        try:
            lags = self._lags(assigned)
        except TransientError as error:
            self._consumer_health.kafka_unreachable(str(error))
            return
        self._consumer_health.measured(
            lags, assigned, unsettled=f"not a member of {unsettled}" if unsettled else ""
        )

    def _lags(self, assigned: Sequence[tuple[str, int]]) -> list[PartitionLag]:
        held = {topic for topic, _ in assigned}
        groups = {
            reader.group: topics for reader in self.readers if (topics := sorted(held.intersection(reader.topics)))
        }
        return [lag for found in self._lag_reader.lags(groups).values() for lag in found] if groups else []


@contextmanager
def joined(
    settings: KafkaSettings, instance: str, monitor: ConsumerHealthMonitor, shutdown: Shutdown
) -> Iterator[None]:
    """Join the groups of the monitor's readers and measure their progress; leave them at the end.

    1. Subscribe every reader, then start the monitor.
    2. Run the body.
    3. Stop the monitor, then close the readers. A process that was told to stop also gives up its static names,
       so that others take its partitions at once; one that failed keeps them and comes back under them.
    """
    for reader in monitor.readers:
        reader.subscribe()
    monitor.start()
    try:
        yield
    finally:
        monitor.stop()
        close_readers(settings, monitor.readers, instance, for_good=shutdown.is_wanted())

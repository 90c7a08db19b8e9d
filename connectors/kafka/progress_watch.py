"""Measures the progress of a transactional process on a thread of its own, and tells its health."""

import threading
from collections.abc import Iterable, Sequence

from connectors.kafka.admin import PartitionLag
from connectors.kafka.backlog import open_lag_reader
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.progress import ConsumerHealth
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry.health import Health
from schemas.errors import TransientError

_FIRST_SECONDS = 0.3
_RECENT_SECONDS = 30.0
_JOIN_SECONDS = 2.0


class ConsumerHealthMonitor:
    """Start it once the readers have subscribed, stop it before they are closed."""

    def __init__(self, settings: KafkaSettings, readers: Sequence[GroupReader], health: Health) -> None:
        self._backlog = open_lag_reader(settings)
        self._readers = readers
        self._health = health
        self._interval_seconds = settings.progress_interval_seconds
        # Longer than the longest pause of a cycle and two measurements.
        self._progress = ConsumerHealth(health, _RECENT_SECONDS + 2 * self._interval_seconds)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Measures often until the process is ready, then at the interval."""
        self._thread.start()

    def waits(self, reason: str) -> None:
        """The cycle waits for a part that is away."""
        self._progress.waits(reason)

    def works(self) -> None:
        """The cycle does not wait any more."""
        self._progress.works()

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
        standings = [(reader.group, reader.standing) for reader in self._readers]
        unsettled = ", ".join(group for group, standing in standings if not standing.is_member)
        assigned = [place for _, standing in standings for place in standing.partitions]
        try:
            lags = list(self._lags(assigned))
        except TransientError as error:
            self._progress.kafka_is_away(str(error))
            return
        self._progress.look(lags, assigned, unsettled=f"not a member of {unsettled}" if unsettled else "")

    def _lags(self, assigned: Sequence[tuple[str, int]]) -> Iterable[PartitionLag]:
        for reader in self._readers:
            held = {topic for topic, _ in assigned if topic in reader.topics}
            if held:
                yield from self._backlog.lag(reader.group, sorted(held))

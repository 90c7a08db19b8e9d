"""Everything about a pool that Kafka knows: what waits, how fast its replicas are, how many are ready.

No replica is asked: members of the group are ready, for a worker joins when its models are warm; and the
usage events of the batches say how many words took how much of the engine's time (docs/decisions/0010).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import LogReader, PlaceReader
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from deploy.autoscaler.backlog import PoolBacklog, ReplicaSpeed
from deploy.autoscaler.decision import WaitingWork
from deploy.autoscaler.settings import AutoscalerSection
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import UsageEvent
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import USAGE, inference_group
from schemas.validity import check_usage

_TAKE_RECORDS, _TAKE_SECONDS = 2000, 0.1
# Kafka may hold an empty fetch so long: nobody waits for these records.
_FETCH_WAIT_MS = 500


@dataclass(frozen=True)
class PoolMeasurement:
    """The pool at one moment."""

    waiting: Mapping[Priority, WaitingWork]
    replica_words_per_second: float
    ready: int


class Meter(Protocol):
    """Measures a pool."""

    def measure(self, now: float) -> PoolMeasurement:
        """At `now`, in seconds since the epoch. Raises TransientError when Kafka is away."""


class RecordTail(Protocol):
    """New records of a topic."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]: ...


@dataclass(frozen=True)
class SpeedMeter:
    """How fast the replicas of a pool are, from their usage events."""

    usage: RecordTail
    codec: Codec
    pool: str
    speed: ReplicaSpeed

    def read(self) -> float:
        """Words per second of work. What memory answered is no work, so its words do not count."""
        events = [
            event for record in self.usage.take(_TAKE_RECORDS, _TAKE_SECONDS) if (event := self._event(record))
        ]
        words = sum(event.source_words - event.cached_words for event in events)
        self.speed.add(words, sum(event.busy_ms for event in events) / 1000)
        return self.speed.words_per_second

    def _event(self, record: InboundRecord) -> UsageEvent | None:
        try:
            event = self.codec.decode(record.value, UsageEvent)
            check_usage(event)
        except PermanentError:
            return None  # the usage sink makes a dead letter of it
        return event if event.kind == "compute" and event.pool == self.pool else None


class KafkaMeter:
    """Opens its clients; close it. Not thread-safe. Raises TransientError when Kafka is away."""

    def __init__(self, kafka: KafkaSettings, section: AutoscalerSection) -> None:
        calm = kafka.model_copy(update={"fetch_wait_ms": _FETCH_WAIT_MS})
        self._admin = KafkaAdmin(calm)
        self._usage = LogReader(calm, USAGE)
        self._places = PlaceReader(calm, "autoscaler")
        self._backlog = PoolBacklog(
            self._admin,
            self._places,
            section.pool,
            section.read_ahead_records,
            section.arrival_memory_seconds,
        )
        speed = ReplicaSpeed(section.first_words_per_second, section.speed_memory_seconds)
        self._speed = SpeedMeter(self._usage, open_codec(kafka), section.pool, speed)
        self._group = inference_group(section.pool, Priority.CRITICAL)

    def measure(self, now: float) -> PoolMeasurement:
        waiting = self._backlog.measure(now)
        return PoolMeasurement(waiting, self._speed.read(), self._admin.members(self._group))

    def close(self) -> None:
        """Closes the connections."""
        self._usage.close()
        self._places.close()

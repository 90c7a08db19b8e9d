"""Measure a pool through Kafka: the work that waits, the speed of its replicas, how many of them are ready.

No replica is queried. Members of the group are ready, because a worker joins when its models are warm; and the
usage events of the batches tell how many words took how much time of the engine (docs/decisions/0010).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import PartitionReader, open_tail
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from deploy.autoscaler.backlog import PoolBacklog, ReplicaSpeed
from deploy.autoscaler.decision import WaitingWork
from deploy.autoscaler.settings import AutoscalerSection
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import UsageBatch, UsageEvent
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.states import UsageKind
from schemas.topics import USAGE, inference_group
from schemas.validity import check_usage

_TAKE_RECORDS, _TAKE_SECONDS = 2000, 0.1
# Words by seconds is a ratio: of many records some tell it as well, and reading one takes about 50 us.
_READ_RECORDS = 200


@dataclass(frozen=True)
class PoolMeasurement:
    """The measurements of a pool at one moment."""

    waiting: Mapping[Priority, WaitingWork]
    replica_words_per_second: float
    ready: int


class Meter(Protocol):
    """Measures a pool."""

    def measure(self, now: float) -> PoolMeasurement:
        """Measure at `now`, in seconds of a clock that is never set. Raises TransientError without Kafka."""


class RecordTail(Protocol):
    """New records of a topic."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` records, after the timeout at the latest."""


@dataclass(frozen=True)
class SpeedMeter:
    """The speed of the replicas of a pool, from their usage events."""

    usage: RecordTail
    codec: Codec
    pool: str
    speed: ReplicaSpeed

    def read(self) -> float:
        """Return words per second of work. Words from the translation memory are no work and do not count."""
        records = self.usage.take(_TAKE_RECORDS, _TAKE_SECONDS)
        sample = records[:: max(len(records) // _READ_RECORDS, 1)]
        events = [event for record in sample for event in self._events(record)]
        words = sum(max(event.source_words - event.cached_words, 0) for event in events)
        self.speed.add(words, sum(event.busy_ms for event in events) / 1000)
        return self.speed.words_per_second

    def _events(self, record: InboundRecord) -> list[UsageEvent]:
        try:
            events = [
                event for event in self.codec.decode(record.value, UsageBatch).events if self._is_work(event)
            ]
            for event in events:
                check_usage(event)
        except PermanentError:
            return []  # the usage sink makes a dead letter of it
        return events

    def _is_work(self, event: UsageEvent) -> bool:
        return event.kind is UsageKind.COMPUTE and event.pool == self.pool


class KafkaMeter:
    """Opens its clients; close it. Not thread-safe. Raises TransientError when Kafka is unreachable."""

    def __init__(self, kafka: KafkaSettings, section: AutoscalerSection) -> None:
        self._admin = KafkaAdmin(kafka)
        self._usage = open_tail(kafka, USAGE)
        self._batches = PartitionReader(kafka, "autoscaler", fills_takes=True, notices_ends=True)
        self._backlog = PoolBacklog(
            self._admin,
            self._batches,
            section.pool,
            section.read_ahead_records,
            section.arrival_memory_seconds,
        )
        speed = ReplicaSpeed(section.first_words_per_second, section.speed_memory_seconds)
        self._speed = SpeedMeter(self._usage, open_codec(kafka), section.pool, speed)
        self._group = inference_group(section.pool, Priority.CRITICAL)

    def measure(self, now: float) -> PoolMeasurement:
        """Measure at `now`, in seconds of a clock that is never set."""
        waiting = self._backlog.measure(now, time.time())
        return PoolMeasurement(waiting, self._speed.read(), self._admin.members(self._group))

    def close(self) -> None:
        """Close the connections."""
        self._usage.close()
        self._batches.close()

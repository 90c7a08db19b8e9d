"""Measure how far consumer groups have come, and how many records they still have to read."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.client_config import asking_config
from connectors.kafka.errors import failure_of
from connectors.kafka.partition_reader import PartitionReader
from connectors.kafka.settings import KafkaSettings

_MOST_NOTICES = 100
_PROBE_SECONDS = 5.0
_READ_SECONDS = 60.0


@dataclass(frozen=True)
class PartitionLag:
    """The offset that a group has committed in one partition (negative: none) and the partition's end."""

    topic: str
    partition: int
    committed: int
    end: int

    @property
    def records(self) -> int:
        """Return how many offsets lie between the two."""
        return max(self.end - max(self.committed, 0), 0)


IsEmpty = Callable[[PartitionLag], bool]
Lags = Callable[[Mapping[str, Sequence[str]]], dict[str, list[PartitionLag]]]
"""Returns the lags of each group on its topics."""


class CommittedOffsets:
    """Reads committed offsets with one consumer for each group, which never joins the group.

    The admin client's own call (list_consumer_group_offsets) crashes the process: when the coordinator answers
    that it is no coordinator any more, or not yet, librdkafka (2.16) tells the client's own group, and an admin
    client has none. That is a segmentation fault (confluent-kafka-javascript issue 374), seen at every first
    start of a cluster. The admin client's other calls about groups never use the client's own group.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._clients: dict[str, Consumer] = {}

    def read(
        self, group: str, partitions: Sequence[TopicPartition], timeout_seconds: float
    ) -> list[TopicPartition]:
        """Return the partitions with the group's offsets, negative where nothing was committed.

        Raises TransientError, FatalError or KafkaException.
        """
        client = self._client(group)
        # A consumer without a subscription gets only notices of lost connections; they must not pile up.
        client.consume(_MOST_NOTICES, 0)
        found = client.committed(list(partitions), timeout=timeout_seconds) if partitions else []
        for partition in found:
            if partition.error:
                raise failure_of(partition.error)
        return found

    @property
    def clients(self) -> Collection[Consumer]:
        """Return the consumers that were opened so far."""
        return self._clients.values()

    def _client(self, group: str) -> Consumer:
        if group not in self._clients:
            self._clients[group] = Consumer(
                asking_config(self._settings)
                | {
                    "group.id": group,
                    # With read_committed the answer would wait for transactions that are about to move the group.
                    "isolation.level": "read_uncommitted",
                }
            )
        return self._clients[group]


class ReadGroups:
    """Remembers which groups have read everything: until something is written, their offsets are not asked for.

    That somebody sets a group back is noticed a minute later. `clock` counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read: dict[str, tuple[float, list[PartitionLag]]] = {}

    def note(self, group: str, lags: Sequence[PartitionLag]) -> None:
        """Note the lags of a group on all partitions that matter."""
        self._read.pop(group, None)
        if not any(one.records for one in lags):
            self._read[group] = self._clock(), list(lags)

    def lags(self, group: str, ends: Mapping[tuple[str, int], int]) -> list[PartitionLag] | None:
        """Return the lags of a group that has read up to these ends; None if it must be asked."""
        asked_at, lags = self._read.get(group, (-inf, []))
        is_read = {(one.topic, one.partition): one.end for one in lags} == ends
        return list(lags) if is_read and self._clock() - asked_at < _READ_SECONDS else None


class LagReader:
    """Measures lag as readers of committed records see it. Not thread-safe.

    Offsets alone say too much: transaction markers and aborted records have offsets, but nobody will ever read
    them. An idle group would seem to lag for ever behind the last transaction. So a partition whose lag is the
    same as at the last measurement is probed for a record.
    """

    def __init__(self, lags: Lags, is_empty: IsEmpty) -> None:
        self._lags = lags
        self._is_empty = is_empty
        self._last: dict[tuple[str, str, int], tuple[PartitionLag, bool]] = {}

    def lag(self, group: str, topics: Sequence[str]) -> list[PartitionLag]:
        """Return the lags as KafkaAdmin.lag does, but 0 where only markers are left. Raises TransientError."""
        return self.lags({group: topics})[group]

    def lags(self, groups: Mapping[str, Sequence[str]]) -> dict[str, list[PartitionLag]]:
        """Return the lags of several groups, corrected as those of one."""
        return {
            group: [self._corrected(group, lag) for lag in found] for group, found in self._lags(groups).items()
        }

    def _corrected(self, group: str, lag: PartitionLag) -> PartitionLag:
        key = (group, lag.topic, lag.partition)
        last, was_empty = self._last.get(key, (None, False))
        is_empty = lag == last and lag.records > 0 and (was_empty or self._is_empty(lag))
        self._last[key] = (lag, is_empty)
        return replace(lag, end=max(lag.committed, 0)) if is_empty else lag


def is_without_records(settings: KafkaSettings, lag: PartitionLag) -> bool:
    """Tell whether a reader of committed records gets from the committed offset to the end without a record.

    Raises TransientError or FatalError.
    """
    reader = PartitionReader(settings, "lag_probe", notices_ends=True)
    try:
        reader.read_from({(lag.topic, lag.partition): max(lag.committed, 0)})
        return not reader.take(1, _PROBE_SECONDS) and bool(reader.ends)
    finally:
        reader.close()

"""From records to words: what waits in a partition, how fast words arrive, how fast a replica is. Pure.

What waits for a pool, measured in Kafka: words by priority, how old, how fast more comes.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.partition_reader import Place
from deploy.autoscaler.decision import WaitingWork
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of
from schemas.topics import batches_topic, inference_group


class Read(NamedTuple):
    """What was seen of one record that waits."""

    offset: int
    words: int
    timestamp_ms: int


@dataclass
class PartitionWords:
    """The uncommitted records of one partition: exact as far as they were read, the rest is estimated.

    Reading begins where the group stood; `next_offset` is where it goes on.
    """

    next_offset: int
    words: int = 0
    _committed: int = field(init=False)
    _waiting: deque[Read] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self._committed = self.next_offset

    def add(self, record: Read) -> None:
        """The next record was read."""
        self.next_offset = max(self.next_offset, record.offset + 1)
        if record.offset >= self._committed:
            self._waiting.append(record)
            self.words += record.words

    def settle(self, committed: int) -> None:
        """The group has come so far; what lies before waits no more."""
        self._committed = committed
        self.next_offset = max(self.next_offset, committed)
        while self._waiting and self._waiting[0].offset < committed:
            self.words -= self._waiting.popleft().words

    def is_outdated(self, committed: int, end: int) -> bool:
        """Whether the group went back, or the topic was made anew: then reading must begin again."""
        return committed < self._committed or end < self.next_offset

    @property
    def records(self) -> int:
        """Records that were read and wait."""
        return len(self._waiting)

    @property
    def oldest_ms(self) -> int | None:
        """Kafka's time stamp of the first record that waits; None when none was read."""
        return self._waiting[0].timestamp_ms if self._waiting else None


@dataclass
class ArrivalRate:
    """Words per second, an exponentially weighted mean: what is `memory_seconds` old weighs 1/e."""

    memory_seconds: float
    per_second: float = 0.0

    def add(self, words: float, seconds: float) -> None:
        """So many words arrived in so many seconds."""
        if seconds > 0:
            weight = 1 - math.exp(-seconds / self.memory_seconds)
            self.per_second += weight * (words / seconds - self.per_second)


@dataclass
class MeanWords:
    """Words per record of one priority, over about the last `memory_records`; assumed until one was seen."""

    words_per_record: float = 100.0
    memory_records: int = 500
    _records: float = field(default=0.0, init=False)

    def add(self, words: int) -> None:
        """One more record."""
        self._records = min(self._records + 1, self.memory_records)
        self.words_per_record += (words - self.words_per_record) / self._records


@dataclass
class ReplicaSpeed:
    """Words per second of a busy replica, over about the last `memory_seconds` of work.

    The first value counts like one second of work, so the first measurements outweigh it soon.
    """

    first_words_per_second: float
    memory_seconds: float = 60.0
    _words: float = field(init=False)
    _seconds: float = field(default=1.0, init=False)

    def __post_init__(self) -> None:
        self._words = self.first_words_per_second

    def add(self, words: float, seconds: float) -> None:
        """A replica translated so many words in so many seconds of work."""
        if seconds > 0:
            kept = math.exp(-seconds / self.memory_seconds)
            self._words = self._words * kept + words
            self._seconds = self._seconds * kept + seconds

    @property
    def words_per_second(self) -> float:
        """Never zero: nothing is that slow for ever."""
        return max(self._words / self._seconds, 1e-3)


_TAKE_RECORDS, _TAKE_SECONDS = 1000, 0.2
# Reading may not hold up a decision; what is not read in this many takes is estimated.
_MOST_TAKES = 10


class GroupOffsets(Protocol):
    """Where groups stand and topics end."""

    def lag(self, group: str, topics: list[str]) -> list[PartitionLag]: ...


class PartitionRecords(Protocol):
    """Partitions read from chosen offsets."""

    def read_from(self, offsets: Mapping[Place, int]) -> None: ...
    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]: ...
    def pause(self, places: frozenset[Place]) -> None: ...


@dataclass
class _PriorityWords:
    """What was measured of one priority."""

    rate: ArrivalRate
    mean: MeanWords = field(default_factory=MeanWords)
    lags: Sequence[PartitionLag] = ()

    def arrived(self, lags: Sequence[PartitionLag], seconds: float) -> None:
        """The partitions as they are now; how much they grew in so many seconds is the rate."""
        before = {lag.partition: lag.end for lag in self.lags}
        records = sum(max(lag.end - before.get(lag.partition, lag.end), 0) for lag in lags)
        self.rate.add(records * self.mean.words_per_record, seconds)
        self.lags = lags


class PoolBacklog:
    """Follows the batch topics of one pool. Raises TransientError; the next measurement then goes on."""

    def __init__(
        self,
        offsets: GroupOffsets,
        records: PartitionRecords,
        pool: str,
        read_ahead_records: int,
        memory_seconds: float,
    ) -> None:
        self._offsets = offsets
        self._records = records
        self._pool = pool
        self._read_ahead_records = read_ahead_records
        self._priorities = {priority: _PriorityWords(ArrivalRate(memory_seconds)) for priority in Priority}
        self._by_topic = {batches_topic(pool, priority): words for priority, words in self._priorities.items()}
        self._partitions: dict[Place, PartitionWords] = {}
        self._measured_at: float | None = None

    def measure(self, now: float) -> dict[Priority, WaitingWork]:
        """As it is at `now`, in seconds since the epoch, as Kafka's time stamps are."""
        lags = {priority: self._lag(priority) for priority in Priority}
        self._follow([lag for found in lags.values() for lag in found])
        self._read()
        seconds = 0.0 if self._measured_at is None else now - self._measured_at
        self._measured_at = now
        for priority, found in lags.items():
            self._priorities[priority].arrived(found, seconds)
        return {priority: self._waiting(words, now) for priority, words in self._priorities.items()}

    def _lag(self, priority: Priority) -> list[PartitionLag]:
        return self._offsets.lag(inference_group(self._pool, priority), [batches_topic(self._pool, priority)])

    def _follow(self, lags: Sequence[PartitionLag]) -> None:
        """Forgets what is done; reads anew from where the groups stand where the old reading makes no sense."""
        committed = {(lag.topic, lag.partition): max(lag.committed, 0) for lag in lags}
        ends = {(lag.topic, lag.partition): lag.end for lag in lags}
        if self._partitions.keys() != committed.keys() or any(
            words.is_outdated(committed[place], ends[place]) for place, words in self._partitions.items()
        ):
            self._records.read_from(committed)
            self._partitions = {place: PartitionWords(offset) for place, offset in committed.items()}
        for place, words in self._partitions.items():
            words.settle(committed[place])

    def _read(self) -> None:
        full = (at for at, words in self._partitions.items() if words.records >= self._read_ahead_records)
        self._records.pause(frozenset(full))
        for _ in range(_MOST_TAKES):
            records = self._records.take(_TAKE_RECORDS, _TAKE_SECONDS)
            for record in records:
                self._add(record)
            if len(records) < _TAKE_RECORDS:
                return

    def _add(self, record: InboundRecord) -> None:
        words = words_of(record)
        self._by_topic[record.topic].mean.add(words)
        place = record.topic, record.partition
        self._partitions[place].add(Read(record.offset, words, record.timestamp_ms))

    def _waiting(self, priority: _PriorityWords, now: float) -> WaitingWork:
        partitions = [(self._partitions[lag.topic, lag.partition], lag) for lag in priority.lags]
        unread_records = sum(max(lag.end - words.next_offset, 0) for words, lag in partitions)
        read_words = sum(words.words for words, _ in partitions)
        oldest_ms = min((words.oldest_ms for words, _ in partitions if words.oldest_ms), default=None)
        return WaitingWork(
            backlog_words=read_words + unread_records * priority.mean.words_per_record,
            words_per_second=priority.rate.per_second,
            oldest_seconds=0.0 if oldest_ms is None else max(now - oldest_ms / 1000, 0.0),
        )

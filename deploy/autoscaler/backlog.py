"""Measure in Kafka how much work waits for a pool: words by priority, their age, and the rate of arrival.

PoolBacklog reads the batch topics. The estimators before it are pure: the words that wait in one partition, the
rate at which words arrive, the mean words of a record, the speed of a replica.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, Protocol

from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.partition_reader import Span
from deploy.autoscaler.decision import WaitingWork
from schemas.lanes import Lane
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of
from schemas.topics import batches_topic, inference_groups

_TAKE_RECORDS, _TAKE_SECONDS = 1000, 0.2
# Reading must not delay a decision; what these takes do not reach is estimated.
_MOST_TAKES = 10


class WaitingRecord(NamedTuple):
    """What is remembered of one record that waits."""

    offset: int
    words: int
    timestamp_ms: int


@dataclass
class PartitionWords:
    """The words of the uncommitted records of one partition, as far as they were read.

    Reading begins where the group has to go on: at its committed offset, or at the first record that is still
    there. `next_offset` is the first offset that was not read.
    """

    next_offset: int
    words: int = 0
    _committed: int = field(init=False)
    _position: int = field(init=False)
    _markers: int = field(default=0, init=False)
    _waiting: deque[WaitingRecord] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self._committed = self._position = self.next_offset

    def add(self, record: WaitingRecord) -> None:
        """Add the next record that was read."""
        self._pass(record.offset)
        self._position = max(self._position, record.offset + 1)
        self.next_offset = max(self.next_offset, record.offset + 1)
        if record.offset >= self._committed:
            self._waiting.append(record)
            self.words += record.words

    def end_at(self, end: int) -> None:
        """Note that no record comes before this offset any more: transaction markers have offsets, too."""
        self._pass(end)
        self.next_offset = max(self.next_offset, end)

    def taken_markers(self) -> int:
        """Return how many offsets were passed since the last call that are no records."""
        markers, self._markers = self._markers, 0
        return markers

    def _pass(self, offset: int) -> None:
        self._markers += max(offset - self._position, 0)
        self._position = max(self._position, offset)

    def drop_committed(self, committed: int) -> None:
        """Drop the records before the offset at which the group has to go on; they no longer wait."""
        self._committed = committed
        self.next_offset = max(self.next_offset, committed)
        while self._waiting and self._waiting[0].offset < committed:
            self.words -= self._waiting.popleft().words

    def is_outdated(self, committed: int, end: int) -> bool:
        """Tell whether the group was set back, or the topic recreated; then reading must begin again."""
        return committed < self._committed or end < self.next_offset

    @property
    def records(self) -> int:
        """Return how many records were read and wait."""
        return len(self._waiting)

    @property
    def oldest_ms(self) -> int | None:
        """Return Kafka's time stamp of the first record that waits; None when none was read."""
        return self._waiting[0].timestamp_ms if self._waiting else None


@dataclass
class ArrivalRate:
    """Words per second, an exponentially weighted mean: a value `memory_seconds` old weighs 1/e."""

    memory_seconds: float
    per_second: float = 0.0

    def add(self, words: float, seconds: float) -> None:
        """Add the words that arrived during these seconds."""
        if seconds > 0:
            weight = 1 - math.exp(-seconds / self.memory_seconds)
            self.per_second += weight * (words / seconds - self.per_second)


@dataclass
class MeanWords:
    """Words per record of one priority, over about the last `memory_records`; assumed until one was read."""

    words_per_record: float = 100.0
    memory_records: int = 500
    _records: float = field(default=0.0, init=False)

    def add(self, words: int) -> None:
        """Add the words of one more record."""
        self._records = min(self._records + 1, self.memory_records)
        self.words_per_record += (words - self.words_per_record) / self._records


@dataclass
class ReplicaSpeed:
    """Words per second of a busy replica, over about the last `memory_seconds` of work.

    The first value weighs as much as one second of work, so the first measurements soon outweigh it.
    """

    first_words_per_second: float
    memory_seconds: float = 60.0
    _words: float = field(init=False)
    _seconds: float = field(default=1.0, init=False)

    def __post_init__(self) -> None:
        self._words = self.first_words_per_second

    def add(self, words: float, seconds: float) -> None:
        """Add the words that a replica translated in these seconds of work."""
        if seconds > 0:
            kept = math.exp(-seconds / self.memory_seconds)
            self._words = self._words * kept + words
            self._seconds = self._seconds * kept + seconds

    @property
    def words_per_second(self) -> float:
        """Return the speed, never zero, since it divides."""
        return max(self._words / self._seconds, 1e-3)


class GroupOffsets(Protocol):
    """Committed offsets of groups; first and end offsets of topics."""

    def watched_lags(self, groups: Mapping[str, Sequence[str]]) -> dict[str, list[PartitionLag]]:
        """Return, for each group, one entry for each partition of its topics."""

    def spans(self, topics: list[str]) -> list[Span]:
        """Return what is in each partition of the topics."""


class PartitionRecords(Protocol):
    """Records of partitions, read from chosen offsets without a group."""

    @property
    def ends(self) -> Mapping[tuple[str, int], int]:
        """Return where committed records ended, for each partition whose end the last take reached."""

    def read_from(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Read exactly these partitions from now on, starting at these offsets."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` records, after the timeout at the latest."""

    def pause(self, partitions: frozenset[tuple[str, int]]) -> None:
        """Stop reading these partitions, and read all others again."""


@dataclass
class _PriorityWork:
    """The measurements of one priority."""

    rate: ArrivalRate
    mean: MeanWords = field(default_factory=MeanWords)
    lags: Sequence[PartitionLag] = ()

    def update(self, lags: Sequence[PartitionLag], markers: int, seconds: float) -> None:
        """Update the partitions; their growth during these seconds, less markers, gives the rate of arrival."""
        before = {(lag.topic, lag.partition): lag.end for lag in self.lags}
        offsets = sum(max(lag.end - before.get((lag.topic, lag.partition), lag.end), 0) for lag in lags)
        self.rate.add(max(offsets - markers, 0) * self.mean.words_per_record, seconds)
        self.lags = lags


class PoolBacklog:
    """Measures the batch topics of one pool. After a TransientError the next measurement continues."""

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
        self._priorities = {priority: _PriorityWork(ArrivalRate(memory_seconds)) for priority in Priority}
        self._priority_of = {batches_topic(pool, lane): lane.priority for lane in Lane}
        self._partitions: dict[tuple[str, int], PartitionWords] = {}
        self._measured_at: float | None = None

    def measure(self, now: float, wall: float | None = None) -> dict[Priority, WaitingWork]:
        """Measure the work of each priority at `now`, in seconds of a clock that is never set.

        `wall`: seconds since the epoch, which Kafka's time stamps are compared with; by default the same.
        """
        lags = self._lags()
        self._sync([lag for found in lags.values() for lag in found])
        self._read()
        seconds = 0.0 if self._measured_at is None else now - self._measured_at
        self._measured_at = now
        for priority, found in lags.items():
            markers = sum(self._partitions[lag.topic, lag.partition].taken_markers() for lag in found)
            self._priorities[priority].update(found, markers, seconds)
        since_1970 = now if wall is None else wall
        return {priority: self._waiting(work, since_1970) for priority, work in self._priorities.items()}

    def _lags(self) -> dict[Priority, list[PartitionLag]]:
        """Read the lags of all lanes: long requests of a priority have to be done in its time, too."""
        found = chain.from_iterable(self._offsets.watched_lags(inference_groups(self._pool)).values())
        lags: dict[Priority, list[PartitionLag]] = {priority: [] for priority in Priority}
        for lag in found:
            lags[self._priority_of[lag.topic]].append(lag)
        return lags

    def _sync(self, lags: Sequence[PartitionLag]) -> None:
        """Drop what is committed; where partitions changed or a group was set back, start reading again."""
        firsts = self._firsts(lags)
        committed = {
            (lag.topic, lag.partition): max(lag.committed, firsts.get((lag.topic, lag.partition), 0))
            for lag in lags
        }
        ends = {(lag.topic, lag.partition): lag.end for lag in lags}
        if self._partitions.keys() != committed.keys() or any(
            words.is_outdated(committed[partition], ends[partition])
            for partition, words in self._partitions.items()
        ):
            self._records.read_from(committed)
            self._partitions = {partition: PartitionWords(offset) for partition, offset in committed.items()}
        for partition, words in self._partitions.items():
            words.drop_committed(committed[partition])

    def _firsts(self, lags: Sequence[PartitionLag]) -> dict[tuple[str, int], int]:
        """Return the first offset that is still there, by partition; nothing is asked about topics at rest.

        What its retention has taken lies behind no commit, and would wait for ever.
        """
        topics = sorted({lag.topic for lag in lags if lag.records})
        spans = self._offsets.spans(topics) if topics else []
        return {(span.topic, span.partition): span.first for span in spans}

    def _read(self) -> None:
        full = (one for one, words in self._partitions.items() if words.records >= self._read_ahead_records)
        self._records.pause(frozenset(full))
        for _ in range(_MOST_TAKES):
            records = self._records.take(_TAKE_RECORDS, _TAKE_SECONDS)
            for record in records:
                self._add(record)
            for partition, end in self._records.ends.items():
                self._partitions[partition].end_at(end)
            if len(records) + len(self._records.ends) < _TAKE_RECORDS:
                return

    def _add(self, record: InboundRecord) -> None:
        words = words_of(record)
        self._priorities[self._priority_of[record.topic]].mean.add(words)
        waiting = WaitingRecord(record.offset, words, record.timestamp_ms)
        self._partitions[record.topic, record.partition].add(waiting)

    def _waiting(self, work: _PriorityWork, now: float) -> WaitingWork:
        partitions = [(self._partitions[lag.topic, lag.partition], lag) for lag in work.lags]
        unread_records = sum(max(lag.end - words.next_offset, 0) for words, lag in partitions)
        read_words = sum(words.words for words, _ in partitions)
        oldest_ms = min((words.oldest_ms for words, _ in partitions if words.oldest_ms), default=None)
        return WaitingWork(
            backlog_words=read_words + unread_records * work.mean.words_per_record,
            words_per_second=work.rate.per_second,
            oldest_seconds=0.0 if oldest_ms is None else max(now - oldest_ms / 1000, 0.0),
        )

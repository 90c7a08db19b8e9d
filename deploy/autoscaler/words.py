"""From records to words: what waits in a partition, how fast words arrive, how fast a replica is. Pure."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple


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

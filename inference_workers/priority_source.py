"""Decide which priority a worker works for next: the most urgent first, and no priority starves.

`Speedometer` measures how many words the worker translates per second, and so how many to take for a chosen time.

`PriorityCredit` decides which priority comes next, with a deficit counter for each (after Shreedhar and Varghese,
"Efficient fair queueing using deficit round-robin", 1995). Every translated word earns each priority its
guaranteed share of credit, every word taken costs one. A priority with credit is served even while more urgent
work waits; everything else goes strictly by urgency. Unused shares are not lost: the next priority takes them.
Both classes are pure.

`PrioritySource` is asked between any two parts of work. It reads one consumer group per priority, and takes only
for the priority that is next: what waits in Kafka keeps its order.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from connectors.kafka.committing_reader import TakenRecord
from schemas.priorities import SLA_SECONDS, Priority
from schemas.records import words_of

# Weight of the newest second in the mean: a change of speed is learnt within about ten seconds of work.
_NEWEST_WEIGHT = 0.2
# An empty wait costs 70 microseconds of processor time, and other priorities wait meanwhile.
_WAIT_SECONDS, _QUIET_WAIT_SECONDS, _QUIET_AFTER_SECONDS = 0.010, 0.050, 10.0
# A fraction of the longest poll interval.
_LONGEST_SILENCE_SECONDS = 20.0


@dataclass
class Speedometer:
    """An exponentially weighted mean of the words per second of work, reused segments included."""

    words_per_second: float

    def add(self, words: int, seconds: float) -> None:
        """Learn from work that took that long. What was answered from the memory alone says nothing."""
        if words and seconds > 0:
            self.words_per_second += _NEWEST_WEIGHT * (words / seconds - self.words_per_second)

    def words_in(self, seconds: float) -> int:
        """Return how many words fit into that time; one at least."""
        return max(int(self.words_per_second * seconds), 1)


@dataclass(frozen=True)
class Shares:
    """The shares of a busy worker that are guaranteed to each priority (0 to 1).

    `aged_share` replaces the share of a priority whose last record waited longer than `aged_after`, a fraction of
    its SLA.
    """

    guaranteed: Mapping[Priority, float]
    aged_after: float = 0.5
    aged_share: float = 0.5


@dataclass
class PriorityCredit:
    """The deficit counters of one worker, in words. Credit and debt stay within `most_words`."""

    shares: Shares
    most_words: int
    _credit: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))
    _waited_seconds: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))

    def is_entitled(self, priority: Priority) -> bool:
        """Return whether the priority has credit, and so is served before urgency counts."""
        return self._credit[priority] >= 1

    def took(self, priority: Priority, waited_seconds: float) -> None:
        """Note that a batch of that priority was taken, and how long it had waited."""
        self._waited_seconds[priority] = waited_seconds

    def spent(self, priority: Priority, words: int) -> None:
        """Charge a priority for translated words, and give each its share. The cap prevents bursts after lulls."""
        self._credit[priority] -= words
        for one in Priority:
            grown = self._credit[one] + words * self._share(one)
            self._credit[one] = max(-self.most_words, min(grown, self.most_words))

    def found_empty(self, priority: Priority) -> None:
        """Note that nothing waits: a priority keeps credit only while its work waits."""
        self._credit[priority] = min(self._credit[priority], 0.0)
        self._waited_seconds[priority] = 0.0

    def _share(self, priority: Priority) -> float:
        guaranteed = self.shares.guaranteed.get(priority, 0.0)
        is_old = self._waited_seconds[priority] > self.shares.aged_after * SLA_SECONDS[priority]
        return max(guaranteed, self.shares.aged_share) if is_old else guaranteed


class PriorityReader(Protocol):
    """A member of one priority's consumer group (connectors.kafka.committing_reader.CommittingReader)."""

    @property
    def topics(self) -> list[str]:
        """Return the topics that it reads, which no other reader reads."""

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        """Return up to `limit` records; an empty list after the timeout. Raises TransientError or FatalError."""


R = TypeVar("R", bound=PriorityReader)


class Next(NamedTuple):
    """What to work for now: the priority, and what was taken for it if nothing was in hand."""

    priority: Priority
    taken: list[TakenRecord]


@dataclass
class PrioritySource(Generic[R]):
    """Takes for one priority at a time until the words, the bytes or the records of a take are used up.

    For one thread. `clock` counts seconds.
    """

    by_priority: Mapping[Priority, R]
    credit: PriorityCredit
    budget_words: Callable[[], int]
    now_ms: Callable[[], int]
    take_bytes: int = 8_000_000
    take_records: int = 1000
    clock: Callable[[], float] = time.monotonic
    _last: Priority = field(default=Priority.CRITICAL, init=False)
    _delivered_at: float = field(default=float("-inf"), init=False)
    _is_idle: bool = field(default=False, init=False)
    _polled_at: dict[Priority, float] = field(default_factory=dict, init=False)
    _kept: dict[Priority, list[TakenRecord]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._polled_at = dict.fromkeys(Priority, self.clock())

    @property
    def readers(self) -> list[R]:
        """Return the reader of every group that this worker is a member of."""
        return list(self.by_priority.values())

    def reader_of(self, topic: str) -> R:
        """Return the reader that reads the topic."""
        return next(reader for reader in self.readers if topic in reader.topics)

    def next(self, in_hand: Collection[Priority]) -> Next | None:
        """Return what to work for now, taken if nothing of that priority is `in_hand`.

        Blocks for some milliseconds, and returns None, when there is nothing to do at all.
        """
        waits_for = self._last if self._is_idle and not in_hand else None
        if waits_for is not None and (taken := self._take(waits_for, self._wait_seconds())):
            return Next(waits_for, taken)
        for priority in self._order():
            if priority in in_hand:
                return Next(priority, [])
            if priority is not waits_for and (taken := self._take(priority, 0.0)):
                return Next(priority, taken)
        self._is_idle = True
        return None

    def spent(self, priority: Priority, words: int) -> None:
        """Note that so many words of that priority were translated."""
        self.credit.spent(priority, words)

    def keep_memberships(self) -> None:
        """Ask every reader that was not asked for long: a member that takes nothing is removed from its group."""
        for priority, polled_at in self._polled_at.items():
            if self.clock() - polled_at > _LONGEST_SILENCE_SECONDS:
                self._kept.setdefault(priority, []).extend(self._one(priority, 0.0))

    def restart(self) -> None:
        """Forget what was taken: it comes again."""
        self._kept.clear()

    def _order(self) -> Iterator[Priority]:
        # The least urgent first: while critical work never ends, they are served nowhere else.
        entitled = [priority for priority in reversed(Priority) if self.credit.is_entitled(priority)]
        yield from dict.fromkeys((*entitled, *Priority))

    def _wait_seconds(self) -> float:
        is_quiet = self.clock() - self._delivered_at > _QUIET_AFTER_SECONDS
        return _QUIET_WAIT_SECONDS if is_quiet else _WAIT_SECONDS

    def _take(self, priority: Priority, timeout_seconds: float) -> list[TakenRecord]:
        taken = self._kept.pop(priority, None) or self._one(priority, timeout_seconds)
        if not taken:
            self.credit.found_empty(priority)
            return []
        self._last, self._delivered_at, self._is_idle = priority, self.clock(), False
        most_words, more = self.budget_words(), taken
        words = size = 0
        while more:
            # The number of words is what the sender says; bytes and records are counted here.
            words += sum(words_of(one.record) for one in more)
            size += sum(len(one.record.value or b"") for one in more)
            has_room = words < most_words and size < self.take_bytes and len(taken) < self.take_records
            more = self._one(priority, 0.0) if has_room else []
            taken = taken + more
        return taken

    def _one(self, priority: Priority, timeout_seconds: float) -> list[TakenRecord]:
        self._polled_at[priority] = self.clock()
        found = self.by_priority[priority].take(1, timeout_seconds)
        for one in found:
            self.credit.took(priority, (self.now_ms() - one.record.timestamp_ms) / 1000)
        return found

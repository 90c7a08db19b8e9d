"""Take the batches of a worker's next cycle: the most urgent first, and no priority starves.

`Speedometer` measures how many words the worker translates per second, and so how many fit into a cycle of a
chosen time.

`PriorityCredit` decides which priority comes next, with a deficit counter for each (after Shreedhar and Varghese,
"Efficient fair queueing using deficit round-robin", 1995). Every translated word earns each priority its
guaranteed share of credit, every word taken costs one. A priority with credit is served even while more urgent
work waits; the rest of the budget goes strictly by urgency. Unused shares are not lost: the next priority takes
them. Both classes are pure.

`PrioritySource` polls one consumer group per priority, by urgency and credit.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from schemas.priorities import SLA_SECONDS, Priority
from schemas.records import InboundRecord, words_of

# Weight of the newest cycle in the mean: a change of speed is learnt within about ten cycles.
_NEWEST_WEIGHT = 0.2


@dataclass
class Speedometer:
    """An exponentially weighted mean of the words per second of work, reused segments included."""

    words_per_second: float

    def add(self, words: int, seconds: float) -> None:
        """Learn from a cycle that took that long. One that was answered from the memory alone says nothing."""
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

    def took(self, priority: Priority, words: int, waited_seconds: float) -> None:
        """Note that a batch of that priority was taken, and how long it had waited."""
        self._credit[priority] -= words
        self._waited_seconds[priority] = waited_seconds

    def found_empty(self, priority: Priority) -> None:
        """Note that nothing waits: a priority keeps credit only while its work waits."""
        self._credit[priority] = min(self._credit[priority], 0.0)
        self._waited_seconds[priority] = 0.0

    def earned(self, words: int) -> None:
        """Give each priority its share of a cycle of that many words. The cap prevents a burst after a lull."""
        for priority in Priority:
            grown = self._credit[priority] + words * self._share(priority)
            self._credit[priority] = max(-self.most_words, min(grown, self.most_words))

    def _share(self, priority: Priority) -> float:
        guaranteed = self.shares.guaranteed.get(priority, 0.0)
        is_old = self._waited_seconds[priority] > self.shares.aged_after * SLA_SECONDS[priority]
        return max(guaranteed, self.shares.aged_share) if is_old else guaranteed


class PriorityReader(Protocol):
    """A member of one priority's consumer group (connectors.kafka.group_reader.GroupReader)."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return up to `limit` records; an empty list after the timeout. Raises TransientError or FatalError."""


R = TypeVar("R", bound=PriorityReader)


@dataclass
class PrioritySource(Generic[R]):
    """Takes batches until the words, the bytes or the records of a cycle are used up. For one thread."""

    by_priority: Mapping[Priority, R]
    credit: PriorityCredit
    budget_words: Callable[[], int]
    now_ms: Callable[[], int]
    idle_wait_seconds: float = 0.05
    cycle_bytes: int = 16_000_000
    cycle_records: int = 1000
    _words_left: int = field(default=0, init=False)
    _bytes_left: int = field(default=0, init=False)
    _records_left: int = field(default=0, init=False)

    @property
    def readers(self) -> list[R]:
        """Return the reader of every group that this worker is a member of."""
        return list(self.by_priority.values())

    def take(self) -> list[InboundRecord]:
        """Return the records of the next cycle. Blocks for the idle wait when there are none."""
        self._words_left, self._bytes_left = self.budget_words(), self.cycle_bytes
        self._records_left = self.cycle_records
        records = [*self._entitled(), *self._urgent()]
        if not records:
            records = self._one(Priority.CRITICAL, self.idle_wait_seconds)
        self.credit.earned(sum(map(words_of, records)))
        return records

    @property
    def _has_room(self) -> bool:
        # The number of words is what the sender says; bytes and records are counted here.
        return self._words_left > 0 and self._bytes_left > 0 and self._records_left > 0

    def _entitled(self) -> Iterator[InboundRecord]:
        # The least urgent first: while critical work never ends, they are served nowhere else.
        for priority in reversed(Priority):
            while self._has_room and self.credit.is_entitled(priority) and (found := self._one(priority)):
                yield from found

    def _urgent(self) -> Iterator[InboundRecord]:
        for priority in Priority:
            while self._has_room and (found := self._one(priority)):
                yield from found

    def _one(self, priority: Priority, timeout_seconds: float = 0.0) -> list[InboundRecord]:
        found = self.by_priority[priority].take(1, timeout_seconds)
        if not found:
            self.credit.found_empty(priority)
        for record in found:
            words = words_of(record)
            self._words_left -= words
            self._bytes_left -= len(record.value or b"")
            self._records_left -= 1
            self.credit.took(priority, words, (self.now_ms() - record.timestamp_ms) / 1000)
        return found

"""Decide which priority a worker serves next, and how much it takes: shares that are guaranteed, in words. Pure.

`Speedometer` measures how many words the worker translates per second, and so how many to take for a chosen time.

`PriorityCredit` decides which priority comes next, with a deficit counter for each (after Shreedhar and Varghese,
"Efficient fair queueing using deficit round-robin", 1995). Every translated word earns each priority its
guaranteed share of credit, every word taken costs one. A priority with credit is served even while more urgent
work waits; everything else goes strictly by urgency. Unused shares are not lost: the next priority takes them.
What a priority gets is shared in the same way between its short requests, which come first, and its bulk lane.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import exp

from schemas.lanes import LANES_OF, Lane
from schemas.priorities import SLA_SECONDS, Priority

# What was measured so many seconds of work ago counts 1/e: a change of speed is learnt within about ten of them.
_MEMORY_SECONDS = 5.0
# What is assumed counts as much as half a second of work, so that it is soon forgotten: with takes that are too
# small for its speed a worker waits for Kafka more than it works.
_ASSUMED_SECONDS = 0.5


@dataclass
class Speedometer:
    """A mean of the words per second of work, reused segments included, in which older work counts less and less.

    `words_per_second` is assumed until it is measured.
    """

    words_per_second: float
    _seconds: float = field(default=_ASSUMED_SECONDS, init=False)

    def add(self, words: int, seconds: float) -> None:
        """Learn from work that took that long. What was answered from the memory alone says nothing."""
        if words and seconds > 0:
            left = self._seconds * exp(-seconds / _MEMORY_SECONDS)
            self._seconds = left + seconds
            self.words_per_second = (self.words_per_second * left + words) / self._seconds

    def words_in(self, seconds: float) -> int:
        """Return how many words fit into that time; one at least."""
        return max(int(self.words_per_second * seconds), 1)


@dataclass(frozen=True)
class Shares:
    """The shares of a busy worker that are guaranteed to each priority (0 to 1).

    `aged_share` replaces the share of a priority whose last record waited longer than `aged_after`, a fraction of
    its SLA. `bulk_share` is that of a bulk lane in what its priority gets.
    """

    guaranteed: Mapping[Priority, float]
    aged_after: float = 0.5
    aged_share: float = 0.5
    bulk_share: float = 0.3


@dataclass
class PriorityCredit:
    """The deficit counters of one worker, in words. Credit and debt stay within `most_words`."""

    shares: Shares
    most_words: int
    _credit: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))
    # Of each priority the credit of its bulk lane against the other one.
    _bulk_credit: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))
    _waited_seconds: dict[Lane, float] = field(default_factory=lambda: dict.fromkeys(Lane, 0.0))
    _empty: set[Lane] = field(default_factory=set)

    def order(self) -> Iterator[Lane]:
        """Yield all lanes in the order in which they are served now: those with credit before urgency counts."""
        # The least urgent first: while critical work never ends, they are served nowhere else.
        entitled = [priority for priority in reversed(Priority) if self._credit[priority] >= 1]
        for priority in dict.fromkeys((*entitled, *Priority)):
            lanes = LANES_OF[priority]
            yield from reversed(lanes) if self._bulk_credit[priority] >= 1 else lanes

    def took(self, lane: Lane, waited_seconds: float) -> None:
        """Note that a batch of that lane was taken from Kafka, and how long it had waited."""
        self._waited_seconds[lane] = waited_seconds
        self._empty.discard(lane)

    def spent(self, lane: Lane, words: int) -> None:
        """Charge a lane for translated words, and give each its share. The cap prevents bursts after lulls."""
        self._credit[lane.priority] -= words
        for one in Priority:
            self._credit[one] = self._capped(self._credit[one] + words * self._share(one))
        earned = words * self.shares.bulk_share - (words if lane.is_bulk else 0)
        self._bulk_credit[lane.priority] = self._capped(self._bulk_credit[lane.priority] + earned)

    def found_empty(self, lane: Lane) -> None:
        """Note that nothing waits: a priority, or its bulk lane, keeps credit only while its work waits."""
        priority = lane.priority
        self._waited_seconds[lane] = 0.0
        self._empty.add(lane)
        if lane.is_bulk:
            self._bulk_credit[priority] = min(self._bulk_credit[priority], 0.0)
        if self._empty.issuperset(LANES_OF[priority]):
            self._credit[priority] = min(self._credit[priority], 0.0)

    def _capped(self, credit: float) -> float:
        return max(-self.most_words, min(credit, self.most_words))

    def _share(self, priority: Priority) -> float:
        guaranteed = self.shares.guaranteed.get(priority, 0.0)
        waited_seconds = max(self._waited_seconds[lane] for lane in LANES_OF[priority])
        is_old = waited_seconds > self.shares.aged_after * SLA_SECONDS[priority]
        return max(guaranteed, self.shares.aged_share) if is_old else guaranteed

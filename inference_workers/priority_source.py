"""Decide which lane a worker takes from next: the most urgent first, and none starves.

`Speedometer` measures how many words the worker translates per second, and so how many to take for a chosen time.

`PriorityCredit` decides which priority comes next, with a deficit counter for each (after Shreedhar and Varghese,
"Efficient fair queueing using deficit round-robin", 1995). Every translated word earns each priority its
guaranteed share of credit, every word taken costs one. A priority with credit is served even while more urgent
work waits; everything else goes strictly by urgency. Unused shares are not lost: the next priority takes them.
What a priority gets is shared in the same way between its short requests, which come first, and its bulk lane.
Both classes are pure.

`PrioritySource` is asked between any two parts of work. It reads one consumer group per lane, and takes only from
the lane that is next: what waits in Kafka keeps its order.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from connectors.kafka.committing_reader import TakenRecord
from schemas.lanes import LANES_OF, Lane
from schemas.priorities import SLA_SECONDS, Priority
from schemas.records import words_of

# Weight of the newest second in the mean: a change of speed is learnt within about ten seconds of work.
_NEWEST_WEIGHT = 0.2
# An empty wait costs 70 microseconds of processor time, and other priorities wait meanwhile.
_WAIT_SECONDS, _QUIET_WAIT_SECONDS, _QUIET_AFTER_SECONDS = 0.010, 0.050, 10.0
# A look at a bulk lane of an idle worker costs as much as one at any other, and its requests take seconds anyway.
_BULK_LOOK_SECONDS = 0.25
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

    def order(self) -> Iterator[Lane]:
        """Yield all lanes in the order in which they are served now: those with credit before urgency counts."""
        # The least urgent first: while critical work never ends, they are served nowhere else.
        entitled = [priority for priority in reversed(Priority) if self._credit[priority] >= 1]
        for priority in dict.fromkeys((*entitled, *Priority)):
            lanes = LANES_OF[priority]
            yield from reversed(lanes) if self._bulk_credit[priority] >= 1 else lanes

    def took(self, lane: Lane, waited_seconds: float) -> None:
        """Note that a batch of that lane was taken, and how long it had waited."""
        self._waited_seconds[lane] = waited_seconds

    def spent(self, lane: Lane, words: int) -> None:
        """Charge a lane for translated words, and give each its share. The cap prevents bursts after lulls."""
        self._credit[lane.priority] -= words
        for one in Priority:
            self._credit[one] = self._capped(self._credit[one] + words * self._share(one))
        earned = words * self.shares.bulk_share - (words if lane.is_bulk else 0)
        self._bulk_credit[lane.priority] = self._capped(self._bulk_credit[lane.priority] + earned)

    def found_empty(self, lane: Lane) -> None:
        """Note that nothing waits: what has nothing to do keeps no credit."""
        self._waited_seconds[lane] = 0.0
        if lane.is_bulk:
            self._bulk_credit[lane.priority] = min(self._bulk_credit[lane.priority], 0.0)

    def found_nothing(self, priority: Priority) -> None:
        """Note that nothing waits in any lane of that priority."""
        self._credit[priority] = min(self._credit[priority], 0.0)

    def _capped(self, credit: float) -> float:
        return max(-self.most_words, min(credit, self.most_words))

    def _share(self, priority: Priority) -> float:
        guaranteed = self.shares.guaranteed.get(priority, 0.0)
        waited_seconds = max(self._waited_seconds[lane] for lane in LANES_OF[priority])
        is_old = waited_seconds > self.shares.aged_after * SLA_SECONDS[priority]
        return max(guaranteed, self.shares.aged_share) if is_old else guaranteed


class PriorityReader(Protocol):
    """A member of one lane's consumer group (connectors.kafka.committing_reader.CommittingReader)."""

    @property
    def topics(self) -> list[str]:
        """Return the topics that it reads, which no other reader reads."""

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        """Return up to `limit` records; an empty list after the timeout. Raises TransientError or FatalError."""


R = TypeVar("R", bound=PriorityReader)


class Next(NamedTuple):
    """What to work for now: the lane, and what was taken from it if nothing of it was in hand."""

    lane: Lane
    taken: list[TakenRecord]


@dataclass
class PrioritySource(Generic[R]):
    """Takes from one lane at a time until the words, the bytes or the records of a take are used up.

    For one thread. `clock` counts seconds.
    """

    by_lane: Mapping[Lane, R]
    credit: PriorityCredit
    budget_words: Callable[[], int]
    now_ms: Callable[[], int]
    take_bytes: int = 8_000_000
    take_records: int = 1000
    clock: Callable[[], float] = time.monotonic
    _last: Lane = field(default=Lane.CRITICAL, init=False)
    _delivered_at: float = field(default=float("-inf"), init=False)
    _is_idle: bool = field(default=False, init=False)
    _polled_at: dict[Lane, float] = field(default_factory=dict, init=False)
    _kept: dict[Lane, list[TakenRecord]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._polled_at = dict.fromkeys(Lane, self.clock())

    @property
    def readers(self) -> list[R]:
        """Return the reader of every group that this worker is a member of."""
        return list(self.by_lane.values())

    def reader_of(self, topic: str) -> R:
        """Return the reader that reads the topic."""
        return next(reader for reader in self.readers if topic in reader.topics)

    def next(self, in_hand: Collection[Lane]) -> Next | None:
        """Return what to work for now, taken if nothing of that lane is `in_hand`.

        Blocks for some milliseconds, and returns None, when there is nothing to do at all.
        """
        waits_for = self._last if self._is_idle and not in_hand else None
        if waits_for is not None and (taken := self._take(waits_for, self._wait_seconds())):
            return Next(waits_for, taken)
        found_empty = dict.fromkeys(Priority, 0)
        for lane in self.credit.order():
            if lane in in_hand:
                return Next(lane, [])
            if self._is_worth_a_look(lane, waits_for) and (taken := self._take(lane, 0.0)):
                return Next(lane, taken)
            found_empty[lane.priority] += 1
            if found_empty[lane.priority] == len(LANES_OF[lane.priority]):
                self.credit.found_nothing(lane.priority)
        self._is_idle = True
        return None

    def spent(self, lane: Lane, words: int) -> None:
        """Note that so many words of that lane were translated."""
        self.credit.spent(lane, words)

    def keep_memberships(self) -> None:
        """Ask every reader that was not asked for long: a member that takes nothing is removed from its group."""
        for lane, polled_at in self._polled_at.items():
            if self.clock() - polled_at > _LONGEST_SILENCE_SECONDS:
                self._kept.setdefault(lane, []).extend(self._one(lane, 0.0))

    def restart(self) -> None:
        """Forget what was taken: it comes again."""
        self._kept.clear()

    def _is_worth_a_look(self, lane: Lane, waits_for: Lane | None) -> bool:
        if lane is waits_for:
            return False
        # While nothing at all is to do, long requests are looked for less often.
        was_seen = self.clock() - self._polled_at[lane] < _BULK_LOOK_SECONDS
        return not (lane.is_bulk and self._is_idle and was_seen)

    def _wait_seconds(self) -> float:
        is_quiet = self.clock() - self._delivered_at > _QUIET_AFTER_SECONDS
        return _QUIET_WAIT_SECONDS if is_quiet else _WAIT_SECONDS

    def _take(self, lane: Lane, timeout_seconds: float) -> list[TakenRecord]:
        taken = self._kept.pop(lane, None) or self._one(lane, timeout_seconds)
        if not taken:
            self.credit.found_empty(lane)
            return []
        self._last, self._delivered_at, self._is_idle = lane, self.clock(), False
        most_words, more = self.budget_words(), taken
        words = size = 0
        while more:
            # The number of words is what the sender says; bytes and records are counted here.
            words += sum(words_of(one.record) for one in more)
            size += sum(len(one.record.value or b"") for one in more)
            has_room = words < most_words and size < self.take_bytes and len(taken) < self.take_records
            more = self._one(lane, 0.0) if has_room else []
            taken = taken + more
        return taken

    def _one(self, lane: Lane, timeout_seconds: float) -> list[TakenRecord]:
        self._polled_at[lane] = self.clock()
        found = self.by_lane[lane].take(1, timeout_seconds)
        for one in found:
            self.credit.took(lane, (self.now_ms() - one.record.timestamp_ms) / 1000)
        return found

"""Take from the lane that is next: the most urgent first, and none starves (inference_workers/priority_credit.py).

`PrioritySource` is asked between any two parts of work. It takes only from the lane that is next: what waits in
Kafka keeps its order. A lane for short requests has a reader of its own. Both bulk lanes have one together: what
comes of the other one is kept until its turn; when that is work for some seconds, the lane is held in Kafka. When
nothing has come for long, a `ReaderWatch` waits at all readers at once.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from connectors.kafka.committing_reader import TakenRecord
from inference_workers.kept_records import KeptRecords, TakeSize
from inference_workers.priority_credit import PriorityCredit
from inference_workers.reader_watch import ReaderWatch, WatchedReader
from schemas.lanes import Lane, lanes_up_to

# An empty wait costs 70 microseconds of processor time, and other priorities wait meanwhile.
_WAIT_SECONDS, _QUIET_AFTER_SECONDS = 0.010, 10.0
# A fraction of the longest poll interval.
_LONGEST_SILENCE_SECONDS = 20.0


class Reader(WatchedReader, Protocol):
    """A member of the consumer group of one lane, or of several (connectors.kafka.lane_reader.LaneReader)."""

    @property
    def topics(self) -> list[str]:
        """Return the topics that it reads, which no other reader reads."""

    def hold(self, topics: Set[str]) -> None:
        """Deliver nothing of these topics from now on, and everything of all others again."""


R = TypeVar("R", bound=Reader)


class Next(NamedTuple):
    """What to work for now: the lane, and what was taken from it if nothing of it was in hand."""

    lane: Lane
    taken: list[TakenRecord]


@dataclass
class _Member(Generic[R]):
    """A reader, the lanes that it reads, and when it was asked last."""

    reader: R
    lanes: Sequence[Lane]
    polled_at: float


@dataclass
class PrioritySource(Generic[R]):
    """Takes from one lane at a time until the words, the bytes or the records of a take are used up.

    For one thread. `lane_topics` names the topic of each lane; `clock` counts seconds.
    """

    readers: Sequence[R]
    lane_topics: Mapping[Lane, str]
    credit: PriorityCredit
    budget_words: Callable[[], int]
    now_ms: Callable[[], int]
    watch: ReaderWatch
    take_bytes: int = 8_000_000
    take_records: int = 1000
    clock: Callable[[], float] = time.monotonic
    _last: Lane = field(default=Lane.CRITICAL, init=False)
    _delivered_at: float = field(default=0.0, init=False)
    _is_idle: bool = field(default=False, init=False)
    _kept: KeptRecords = field(default_factory=KeptRecords, init=False)

    def __post_init__(self) -> None:
        self._delivered_at = self.clock()
        self._lane_of = {topic: lane for lane, topic in self.lane_topics.items()}
        self._members = [
            _Member(one, [self._lane_of[topic] for topic in one.topics], self.clock()) for one in self.readers
        ]
        self._member_of = {lane: one for one in self._members for lane in one.lanes}

    @property
    def at_hand(self) -> list[R]:
        """Return the readers that no other thread uses now. Nothing that was taken is of another one."""
        return [one for one in self.readers if not self._is_away(one)]

    def reader_of(self, topic: str) -> R:
        """Return the reader that reads the topic."""
        return next(reader for reader in self.readers if topic in reader.topics)

    def next(self, in_hand: Collection[Lane]) -> Next | None:
        """Return what to work for now, taken if nothing of that lane is `in_hand`.

        Blocks for some milliseconds, and returns None, when there is nothing to do at all; for a second at most
        when nothing has come for long.
        """
        # A reader that delivers nothing for one of its lanes is not asked for the other.
        silent: list[_Member[R]] = []
        is_waiting = self._is_idle and not in_hand
        if is_waiting and self._is_quiet and self.watch.may_begin(self.readers):
            self.watch.wait(self.readers)
        elif is_waiting and (taken := self._take(self._last, _WAIT_SECONDS, silent)):
            return Next(self._last, taken)
        for lane in self.credit.order():
            if lane in in_hand:
                return Next(lane, [])
            if taken := self._take(lane, 0.0, silent):
                return Next(lane, taken)
        self._is_idle = True
        return None

    def has_before(self, lane: Lane) -> bool:
        """Tell, without a wait, whether there is work that is served before that of this lane, or is more urgent.

        What is more urgent counts where this lane has credit, too: it is charged for what was done, text by text.
        """
        order = list(self.credit.order())
        before = dict.fromkeys((*order[: order.index(lane)], *lanes_up_to(lane)[:-1]))
        silent: list[_Member[R]] = []
        return any(self._waits(one, 0.0, silent) for one in before)

    def spent(self, lane: Lane, words: int) -> None:
        """Note that so many words of that lane were translated."""
        self.credit.spent(lane, words)

    def keep_memberships(self) -> None:
        """Ask every reader that was not asked for long: a member that takes nothing is removed from its group."""
        for member in self._members:
            if self.clock() - member.polled_at > _LONGEST_SILENCE_SECONDS:
                self._poll(member, 0.0)

    def restart(self) -> None:
        """Forget what was taken: it comes again, and of every lane. All readers are at hand then.

        Blocks for a second at most. Raises TransientError or FatalError.
        """
        # Readers that are rewound hold nothing.
        self._kept = KeptRecords()
        # What comes again comes soon.
        self._delivered_at = self.clock()
        self.recall()

    def recall(self) -> None:
        """Have all readers at hand: wait for those that are not, a second at most. What they bring is dropped.

        Raises TransientError or FatalError.
        """
        self.watch.recall()

    def close(self) -> None:
        """End the watch: until then its threads may use the readers. Blocks for a second at most."""
        self.watch.close()

    @property
    def _is_quiet(self) -> bool:
        return self.clock() - self._delivered_at > _QUIET_AFTER_SECONDS

    def _take(self, lane: Lane, timeout_seconds: float, silent: list[_Member[R]]) -> list[TakenRecord]:
        if not (taken := self._one(lane, timeout_seconds, silent)):
            self.credit.found_empty(lane)
            return []
        self._last, self._delivered_at, self._is_idle = lane, self.clock(), False
        size, more = TakeSize(), taken
        while more:
            size.add(more)
            more = [] if self._is_full(size) else self._one(lane, 0.0, silent)
            taken = taken + more
        self._hold(self._member_of[lane])
        return taken

    def _is_full(self, size: TakeSize, takes: int = 1) -> bool:
        return (
            size.words >= takes * self.budget_words()
            or size.value_bytes >= self.take_bytes
            or size.records >= self.take_records
        )

    def _one(self, lane: Lane, timeout_seconds: float, silent: list[_Member[R]]) -> list[TakenRecord]:
        """Return the next record of the lane, one that was kept first. What else comes is kept."""
        return self._kept.next(lane) if self._waits(lane, timeout_seconds, silent) else []

    def _waits(self, lane: Lane, timeout_seconds: float, silent: list[_Member[R]]) -> bool:
        """Tell whether a record of the lane is kept, after asking its reader where none was."""
        member = self._member_of[lane]
        while not self._kept.has(lane):
            if any(member is one for one in silent):
                return False
            if not self._poll(member, timeout_seconds):
                silent.append(member)
        return True

    def _poll(self, member: _Member[R], timeout_seconds: float) -> bool:
        member.polled_at = self.clock()
        found = self._found(member.reader, timeout_seconds)
        for one in found:
            lane = self._lane_of[one.record.topic]
            self._kept.add(lane, one)
            self.credit.took(lane, (self.now_ms() - one.record.timestamp_ms) / 1000)
        if found:
            self._hold(member)
        return bool(found)

    def _is_away(self, reader: R) -> bool:
        return self.watch.is_away(reader)

    def _found(self, reader: R, timeout_seconds: float) -> list[TakenRecord]:
        if self._is_away(reader):
            return self.watch.collect(reader)
        return reader.take(1, timeout_seconds)

    def _hold(self, member: _Member[R]) -> None:
        """Have a reader of several lanes deliver none of which enough is kept."""
        if len(member.lanes) > 1 and self._kept.changes_held(member.lanes, self._is_full):
            member.reader.hold({self.lane_topics[lane] for lane in self._kept.held})

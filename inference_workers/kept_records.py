"""Keep records of a lane that came while a worker asked for another lane of the same reader. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from connectors.kafka.committing_reader import TakenRecord
from schemas.lanes import Lane
from schemas.records import words_of

# In takes: a lane is held once so much of it is kept, and read again when so little is left. A fetch that the
# broker holds for the other lane may last a second (DRAGOMAN_KAFKA_FETCH_WAIT_MS): what is left must last longer.
_MOST_KEPT, _LEAST_KEPT = 5, 3


@dataclass
class TakeSize:
    """How much records are, by what their senders say of the words, and by what is counted here."""

    words: int = 0
    value_bytes: int = 0
    records: int = 0

    def add(self, records: Iterable[TakenRecord]) -> "TakeSize":
        """Add records, and return the size."""
        for one in records:
            self.words += words_of(one.record)
            self.value_bytes += len(one.record.value or b"")
            self.records += 1
        return self


@dataclass
class KeptRecords:
    """In order of arrival. `held` names the lanes of which no more is wanted for the present."""

    held: set[Lane] = field(default_factory=set)
    _records: dict[Lane, deque[TakenRecord]] = field(default_factory=lambda: {lane: deque() for lane in Lane})

    def add(self, lane: Lane, record: TakenRecord) -> None:
        """Keep one more record."""
        self._records[lane].append(record)

    def has(self, lane: Lane) -> bool:
        """Tell whether a record of the lane is kept."""
        return bool(self._records[lane])

    def next(self, lane: Lane) -> list[TakenRecord]:
        """Return the oldest record of the lane, which is kept no longer; none where there is none."""
        return [self._records[lane].popleft()] if self._records[lane] else []

    def changes_held(self, lanes: Collection[Lane], is_full: Callable[[TakeSize, int], bool]) -> bool:
        """Choose which of these lanes to hold, and return whether they are others than before.

        `is_full` tells whether records are as much as so many takes.
        """
        before = set(self.held)
        for lane in lanes:
            takes = _LEAST_KEPT if lane in self.held else _MOST_KEPT
            is_enough = bool(self._records[lane]) and is_full(TakeSize().add(self._records[lane]), takes)
            (self.held.add if is_enough else self.held.discard)(lane)
        return self.held != before

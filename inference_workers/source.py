"""The records of a worker's next cycle: one consumer group per priority, polled by urgency and credit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from inference_workers.priorities import PriorityCredit
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of


class Reader(Protocol):
    """What the source asks of a group member."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Up to `limit` records; an empty list after the timeout."""


R = TypeVar("R", bound=Reader)


@dataclass
class PrioritySource(Generic[R]):
    """Takes batches until the cycle's budget of words, or of bytes, is used up."""

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
        """Every group that this worker is a member of."""
        return list(self.by_priority.values())

    def take(self) -> list[InboundRecord]:
        """The next cycle's records; blocks for the idle wait when nothing is there."""
        self._words_left, self._bytes_left = self.budget_words(), self.cycle_bytes
        self._records_left = self.cycle_records
        records = [*self._entitled(), *self._urgent()]
        if not records:
            records = self._one(Priority.CRITICAL, self.idle_wait_seconds)
        self.credit.earned(sum(map(words_of, records)))
        return records

    @property
    def _has_room(self) -> bool:
        # Words are what their sender says; bytes and records are counted here.
        return self._words_left > 0 and self._bytes_left > 0 and self._records_left > 0

    def _entitled(self) -> Iterator[InboundRecord]:
        # The least urgent first: while critical work never ends, nothing else would bring them in.
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

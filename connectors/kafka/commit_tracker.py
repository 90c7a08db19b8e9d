"""Track the unfinished records of a consumer, so that it commits up to the first of them and no further. Pure.

A partition's position is the offset of its first unfinished record, or the one behind the last record taken. It is
true whoever commits it and whenever: everything before it has been finished. So a late or repeated commit can make
records come again, and can never skip one.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

Partition = tuple[str, int]
"""Topic and number."""


class Ticket(NamedTuple):
    """Names one record in hand. `tenure` counts how often its partition began anew; `taken_at` is seconds."""

    topic: str
    partition: int
    offset: int
    tenure: int
    taken_at: float


@dataclass
class _Hand:
    """What is known of one partition: `taken` holds the unfinished records and the finished ones behind them."""

    tenure: int
    position: int
    committed: int
    taken: deque[Ticket] = field(default_factory=deque)
    finished: set[int] = field(default_factory=set)

    def settle(self) -> None:
        while self.taken and self.taken[0].offset in self.finished:
            offset = self.taken.popleft().offset
            self.finished.remove(offset)
            self.position = offset + 1


class CommitTracker:
    """The records in hand of one consumer. For one thread. No call blocks or raises."""

    def __init__(self) -> None:
        self._hands: dict[Partition, _Hand] = {}
        self._tenures = count(1)

    def took(self, topic: str, partition: int, offset: int, taken_at: float) -> Ticket:
        """Note that a record was taken. One that comes a second time begins its partition anew."""
        name = (topic, partition)
        hand = self._hands.get(name)
        if hand is None or offset < _behind_last(hand):
            hand = self._hands[name] = _Hand(next(self._tenures), position=offset, committed=offset)
        ticket = Ticket(topic, partition, offset, hand.tenure, taken_at)
        hand.taken.append(ticket)
        return ticket

    def holds(self, ticket: Ticket) -> bool:
        """Tell whether the record is still this consumer's to finish."""
        hand = self._hands.get((ticket.topic, ticket.partition))
        return hand is not None and hand.tenure == ticket.tenure

    def finished(self, ticket: Ticket) -> None:
        """Note that everything that the record led to is stored. Ignored when the record is not held any more."""
        hand = self._hands.get((ticket.topic, ticket.partition))
        if hand is not None and hand.tenure == ticket.tenure and ticket.offset >= hand.position:
            hand.finished.add(ticket.offset)
            hand.settle()

    def due(self) -> dict[Partition, int]:
        """Return the position of every partition that has advanced since its last commit."""
        return {name: hand.position for name, hand in self._hands.items() if hand.position > hand.committed}

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """Note that Kafka has stored these positions."""
        for name, position in positions.items():
            if (hand := self._hands.get(name)) is not None:
                hand.committed = max(hand.committed, position)

    def first_taken_at(self) -> float | None:
        """Return when the oldest unfinished record was taken, in seconds; None when there is none."""
        return min((hand.taken[0].taken_at for hand in self._hands.values() if hand.taken), default=None)

    @property
    def unfinished(self) -> int:
        """Return how many records are in hand that are not finished."""
        return sum(len(hand.taken) - len(hand.finished) for hand in self._hands.values())

    def concerns(self, partitions: Iterable[Partition]) -> bool:
        """Tell whether any of these has a record in hand or a position to commit."""
        found = (self._hands.get(name) for name in partitions)
        return any(hand and (hand.taken or hand.position > hand.committed) for hand in found)

    def drop_all(self) -> None:
        """Forget everything: this member begins anew with what is committed."""
        self._hands.clear()

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget partitions that belong to another member from now on."""
        for name in partitions:
            self._hands.pop(name, None)

    def unfinished_from(self) -> dict[Partition, int]:
        """Return the position of every partition with records in hand: where to take them again."""
        return {name: hand.position for name, hand in self._hands.items() if hand.taken}

    def restart(self) -> None:
        """Give up every record in hand, once they are going to be taken again. What is due stays due."""
        for hand in self._hands.values():
            hand.tenure = next(self._tenures)
            hand.taken.clear()
            hand.finished.clear()


def _behind_last(hand: _Hand) -> int:
    return hand.taken[-1].offset + 1 if hand.taken else hand.position

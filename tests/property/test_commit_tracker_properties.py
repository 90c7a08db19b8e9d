"""Whatever order work ends in, a commit never passes a record that is not finished."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.kafka.commit_tracker import CommitTracker, Partition, Ticket

PARTITIONS: list[Partition] = [("t", 0), ("t", 1), ("u", 0)]
LOG = 40


@dataclass
class World:
    """A broker with logs that have gaps, as transaction markers leave them, and one consumer."""

    committed: dict[Partition, int] = field(default_factory=lambda: dict.fromkeys(PARTITIONS, 0))
    next_offset: dict[Partition, int] = field(default_factory=lambda: dict.fromkeys(PARTITIONS, 0))
    done: dict[Partition, set[int]] = field(default_factory=lambda: defaultdict(set))

    def offsets(self, partition: Partition) -> list[int]:
        return [offset for offset in range(LOG) if offset % 5 != PARTITIONS.index(partition)]


class Consumer(RuleBasedStateMachine):
    """Takes, finishes in any order, commits, loses partitions and begins anew; acknowledgements may come late."""

    def __init__(self) -> None:
        super().__init__()
        self.world, self.tracker = World(), CommitTracker()
        self.tickets: list[Ticket] = []
        self.in_flight: list[dict[Partition, int]] = []

    @rule(partition=st.sampled_from(PARTITIONS), most=st.integers(1, 4))
    def take(self, partition: Partition, most: int) -> None:
        left = [one for one in self.world.offsets(partition) if one >= self.world.next_offset[partition]]
        for offset in left[:most]:
            self.tickets.append(self.tracker.took(*partition, offset, taken_at=float(offset)))
            self.world.next_offset[partition] = offset + 1

    @precondition(lambda self: self.tickets)
    @rule(chance=st.randoms(use_true_random=False))
    def finish(self, chance: random.Random) -> None:
        # Twice at times, and long after the partition went to somebody else.
        ticket = chance.choice(self.tickets)
        self.world.done[ticket.topic, ticket.partition].add(ticket.offset)
        self.tracker.finished(ticket)

    @rule()
    def send_commit(self) -> None:
        self.in_flight.append(self.tracker.due())

    @precondition(lambda self: self.in_flight)
    @rule(chance=st.randoms(use_true_random=False), is_lost=st.booleans())
    def commit(self, chance: random.Random, is_lost: bool) -> None:
        # In any order, and also when the partition has moved meanwhile: the worst that a broker can do.
        positions = self.in_flight.pop(chance.randrange(len(self.in_flight)))
        if not is_lost:
            self.world.committed |= positions
            self.tracker.committed(positions)

    @rule(partitions=st.sets(st.sampled_from(PARTITIONS)))
    def lose(self, partitions: set[Partition]) -> None:
        self.tracker.drop(partitions)
        for partition in partitions:
            self.world.next_offset[partition] = self.world.committed[partition]

    @rule()
    def fail(self) -> None:
        for partition, position in self.tracker.unfinished_from().items():
            self.world.next_offset[partition] = position
        self.tracker.restart()

    @invariant()
    def nothing_unfinished_is_passed(self) -> None:
        for partition in PARTITIONS:
            for position in (self.world.committed[partition], self.tracker.due().get(partition, 0)):
                passed = {offset for offset in self.world.offsets(partition) if offset < position}
                assert passed <= self.world.done[partition]

    def teardown(self) -> None:
        """When everything that is held is finished, everything that was taken can be committed."""
        for ticket in self.tickets:
            self.tracker.finished(ticket)
        assert self.tracker.unfinished == 0
        held = [ticket for ticket in self.tickets if self.tracker.holds(ticket)]
        for ticket in held:
            position = self.tracker.due().get((ticket.topic, ticket.partition))
            committed = self.world.committed[ticket.topic, ticket.partition]
            assert max(position or 0, committed) > ticket.offset


TestConsumer = Consumer.TestCase
TestConsumer.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


@given(order=st.permutations(range(12)))
def test_the_position_is_the_first_unfinished_record_in_any_order_of_ends(order: list[int]) -> None:
    tracker = CommitTracker()
    tickets = [tracker.took("t", 0, offset, 0.0) for offset in range(12)]
    done: set[int] = set()
    for at in order:
        tracker.finished(tickets[at])
        done.add(at)
        first = min(set(range(12)) - done, default=12)
        assert tracker.due().get(("t", 0), 0) == first

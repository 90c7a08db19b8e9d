"""Whatever is killed, robbed, delayed or refused: no commit passes what is not stored, and nothing is lost."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.lanes import Lane
from schemas.topics import batches_topic
from tests.property.worker_world import PARTITIONS, Broker, Clock, Worker


class World:
    """Records come, a worker works, and things happen to it."""

    def __init__(self, seed: int, *, goes_text_by_text: bool) -> None:
        self.goes_text_by_text = goes_text_by_text
        self.chance = random.Random(seed)
        self.broker, self.clock = Broker(), Clock()
        self.requests: dict[tuple[str, int], list[str]] = {}
        self.worker = self.new_worker()

    def new_worker(self) -> Worker:
        return Worker(self.broker, self.clock, goes_text_by_text=self.goes_text_by_text)

    def worker_turns(self) -> None:
        self.worker.turn()
        self.clock.seconds += self.chance.choice([0.0, 0.1, 0.6])

    def come(self) -> None:
        lane, partition = self.chance.choice(list(Lane)), self.chance.randrange(PARTITIONS)
        request_id = f"r{sum(map(len, self.broker.logs.values()))}"
        self.broker.add(lane, partition, request_id)
        self.requests.setdefault((batches_topic("default", lane), partition), []).append(request_id)

    def deliver(self) -> None:
        if self.worker.wire.on_their_way:
            self.worker.wire.deliver(self.chance)

    def fail(self) -> None:
        if self.worker.wire.on_their_way:
            self.worker.wire.deliver(self.chance, fails=True)

    def kill(self) -> None:
        # What was on its way may still arrive.
        for _ in range(self.chance.randrange(3)):
            self.deliver()
        self.worker.loop.runner.close()
        self.worker = self.new_worker()

    def move(self) -> None:
        """Take partitions away and give them back, in order or by surprise."""
        consumer = self.chance.choice(self.worker.consumers)
        if places := list(consumer.positions):
            some = self.chance.sample(places, self.chance.randrange(1, len(places) + 1))
            consumer.moves += [(self.chance.choice(["revoke", "lost"]), some), ("assign", some)]

    def freeze(self) -> None:
        self.clock.seconds += self.chance.choice([1.0, 9.0, 130.0])

    def check(self) -> None:
        passed = [
            request_id
            for place, request_ids in self.requests.items()
            for request_id in request_ids[: self.broker.committed.get(place, 0)]
        ]
        assert [one for one in passed if not self.broker.translated[one]] == []
        assert self.broker.counted_batches >= len(passed)

    def drain(self) -> None:
        for _ in range(3_000):
            self.worker.turn()
            while self.worker.wire.on_their_way:
                self.deliver()
            self.clock.seconds += 0.3
            if all(self.broker.committed.get(place, 0) == len(log) for place, log in self.broker.logs.items()):
                return
        pytest.fail(f"committed {self.broker.committed}")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), goes_text_by_text=st.booleans())
def test_no_offset_passes_what_is_not_stored_and_everything_is_translated(
    seed: int, goes_text_by_text: bool
) -> None:
    world = World(seed, goes_text_by_text=goes_text_by_text)
    events = [world.come, world.worker_turns, world.deliver, world.fail, world.kill, world.move, world.freeze]
    for event in world.chance.choices(events, weights=[6, 12, 12, 0.5, 0.5, 1, 0.5], k=150):
        event()
        world.check()
    world.drain()
    world.check()
    world.worker.loop.stop()

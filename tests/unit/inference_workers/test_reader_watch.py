"""While nothing comes, a worker waits at all of its readers at once."""

import threading
from collections.abc import Set
from contextlib import closing, suppress
from queue import Empty, Queue

import pytest

from connectors.kafka.committing_reader import TakenRecord
from inference_workers.priority_credit import PriorityCredit, Shares
from inference_workers.priority_source import PrioritySource
from inference_workers.reader_watch import ReaderWatch
from schemas.errors import TransientError
from schemas.lanes import Lane
from schemas.records import InboundRecord
from tests.worker_cycle import taken

NAMES = ("c", "h", "s", "b")
TOPICS = dict(zip(Lane, ("c", "h", "b", "s", "b2"), strict=True))


class Waiting:
    """A reader whose `take` ends when something is put in, or when `call_back` is called: its timeout."""

    def __init__(self, name: str) -> None:
        self.topics = [name, "b2"] if name == "b" else [name]
        self.is_settled = True
        self.users = 0
        self.asked: list[float] = []
        self.began = threading.Semaphore(0)
        self.came: Queue[str | TransientError | None] = Queue()

    def put(self, what: str | TransientError) -> None:
        self.came.put(what)

    def call_back(self) -> None:
        self.came.put(None)

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        self.users += 1
        assert self.users == 1, "a reader serves one thread at a time"
        self.asked.append(timeout_seconds)
        self.began.release()
        found = None
        with suppress(Empty):
            found = self.came.get(timeout=5) if timeout_seconds >= 1 else self.came.get_nowait()
        self.users -= 1
        if isinstance(found, TransientError):
            raise found
        return taken([InboundRecord(found, 0, 0, None, b"", {"words": b"100"}, 0)]) if found else []

    def hold(self, topics: Set[str]) -> None:
        """Deliver whatever is put in."""


class World:
    """A worker's source that was silent for long, and its readers by name."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.readers = {name: Waiting(name) for name in NAMES}
        self.source = PrioritySource(
            list(self.readers.values()),
            TOPICS,
            PriorityCredit(Shares({}), most_words=500),
            lambda: 100,
            lambda: 0,
            ReaderWatch(len(NAMES)),
            clock=lambda: self.seconds,
        )
        assert self.source.next([]) is None
        self.seconds = 11.0
        for reader in self.readers.values():
            reader.asked.clear()
            reader.began.acquire()

    def call_all_back(self) -> None:
        for reader in self.readers.values():
            reader.call_back()

    def wait_until_all_are_away(self) -> None:
        for reader in self.readers.values():
            assert reader.began.acquire(timeout=5)


@pytest.fixture
def world():
    world = World()
    with closing(world.source):
        yield world
        world.call_all_back()


@pytest.mark.parametrize(("name", "lane"), [("c", Lane.CRITICAL), ("s", Lane.STANDARD), ("b", Lane.HIGH_BULK)])
def test_whatever_comes_first_is_next_although_the_other_readers_are_away(world, name, lane):
    world.readers[name].put(world.readers[name].topics[0])
    found = world.source.next([])
    assert (found.lane, len(found.taken)) == (lane, 1)
    world.wait_until_all_are_away()
    assert [reader.asked for reader in world.readers.values()] == [[1.0]] * 4
    assert world.source.at_hand == [world.readers[name]]


def test_urgent_work_that_comes_to_a_reader_still_away_is_taken_between_two_parts(world):
    world.readers["s"].put("s")
    assert world.source.next([]).lane is Lane.STANDARD
    assert world.source.next([Lane.STANDARD]).taken == []
    world.readers["c"].put("c")
    while (found := world.source.next([Lane.STANDARD])).lane is Lane.STANDARD:
        pass
    assert (found.lane, [one.record.topic for one in found.taken]) == (Lane.CRITICAL, ["c"])


def test_a_silent_second_is_nothing_to_do_and_the_readers_go_away_again(world):
    for _ in range(3):
        world.call_all_back()
        assert world.source.next([]) is None
    assert {timeout for reader in world.readers.values() for timeout in reader.asked} == {1.0}


def test_no_reader_goes_away_while_one_of_them_has_something_to_commit(world):
    world.readers["h"].is_settled = False
    assert world.source.next([]) is None
    assert max(timeout for reader in world.readers.values() for timeout in reader.asked) == 0.01
    assert world.source.at_hand == list(world.readers.values())


def test_a_restart_waits_for_the_readers_and_then_asks_them_in_turn(world):
    world.readers["c"].put("c")
    assert world.source.next([]).lane is Lane.CRITICAL
    world.readers["s"].put("s")
    world.call_all_back()
    world.source.restart()
    assert world.source.at_hand == list(world.readers.values())
    assert world.source.next([]) is None
    world.source.next([])
    assert world.readers["s"].asked[-1] < 1


def test_what_a_reader_raises_while_it_is_away_is_raised_once_by_who_asks_next(world):
    world.readers["h"].put(TransientError("moved"))
    with pytest.raises(TransientError, match="moved"):
        world.source.next([])
    world.call_all_back()
    world.source.restart()


def test_a_restart_raises_what_a_reader_raised_while_it_was_away_with_all_of_them_back(world):
    world.readers["c"].put("c")
    assert world.source.next([]).lane is Lane.CRITICAL
    world.readers["h"].put(TransientError("moved"))
    world.call_all_back()
    with pytest.raises(TransientError, match="moved"):
        world.source.restart()
    assert world.source.at_hand == list(world.readers.values())
    world.source.restart()

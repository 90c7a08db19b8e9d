"""Whatever comes in which order: no lane starves, each keeps its order, and shares are what was promised."""

import random
from collections import deque
from collections.abc import Set

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kafka.committing_reader import TakenRecord
from inference_workers.priority_credit import PriorityCredit, Shares
from inference_workers.priority_source import PrioritySource
from schemas.lanes import LANES_OF, Lane
from schemas.priorities import Priority
from schemas.records import InboundRecord
from tests.worker_cycle import NoWatch
from tests.worker_cycle import taken as with_tickets

TOPICS = {lane: f"t.{lane}" for lane in Lane}
SHARES = Shares({Priority.HIGH: 0.2, Priority.STANDARD: 0.1}, aged_share=0.0)
PART_WORDS = 100

arrivals = st.lists(st.tuples(st.sampled_from(list(Lane)), st.integers(1, 400)), min_size=1, max_size=80)


class Member:
    """Delivers in the order of arrival what it may deliver, as a client does that has fetched all of it."""

    def __init__(self, lanes: list[Lane]) -> None:
        self.topics = [TOPICS[lane] for lane in lanes]
        self.waiting: deque[InboundRecord] = deque()
        self.held: Set[str] = frozenset()
        self.is_settled = True

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        for place, record in enumerate(self.waiting):
            if record.topic not in self.held:
                del self.waiting[place]
                return with_tickets([record])
        return []

    def hold(self, topics: Set[str]) -> None:
        self.held = topics


class Worker:
    """Takes and works, part by part, without an engine."""

    def __init__(self) -> None:
        members = [Member([lane]) for lane in Lane if not lane.is_bulk]
        members.append(Member([lane for lane in Lane if lane.is_bulk]))
        self.members = {topic: member for member in members for topic in member.topics}
        credit = PriorityCredit(SHARES, most_words=600)
        self.source = PrioritySource(members, TOPICS, credit, lambda: 300, lambda: 0, NoWatch(), clock=lambda: 0.0)
        self.hands: dict[Lane, int] = {}
        self.taken: dict[Lane, list[int]] = {lane: [] for lane in Lane}
        self.sent = dict.fromkeys(Lane, 0)

    def send(self, lane: Lane, words: int) -> None:
        header = {"words": str(words).encode()}
        record = InboundRecord(TOPICS[lane], 0, self.sent[lane], None, b"", header)
        self.members[TOPICS[lane]].waiting.append(record)
        self.sent[lane] += 1

    def work(self) -> tuple[Lane, int] | None:
        """Work for one part, and return its lane and words."""
        found = self.source.next(self.hands.keys())
        if found is None:
            return None
        if found.taken:
            self.taken[found.lane] += [one.record.offset for one in found.taken]
            self.hands[found.lane] = sum(int(one.record.headers["words"]) for one in found.taken)
        words = min(self.hands[found.lane], PART_WORDS)
        self.hands[found.lane] -= words
        if not self.hands[found.lane]:
            del self.hands[found.lane]
        self.source.spent(found.lane, words)
        return found.lane, words


@settings(max_examples=60, deadline=None)
@given(arrivals, st.integers(0, 5))
def test_everything_is_taken_once_and_each_lane_keeps_its_order(order, parts_between):
    worker = Worker()
    for lane, words in order:
        worker.send(lane, words)
        for _ in range(parts_between):
            worker.work()
    for _ in range(1000):
        # A lane that is read again is delivered at the next look.
        if worker.work() is None and worker.work() is None:
            break
    assert worker.taken == {lane: list(range(worker.sent[lane])) for lane in Lane}


@settings(max_examples=6, deadline=None)
@given(st.sets(st.sampled_from(list(Lane)), min_size=1), st.integers(20, 300), st.integers())
def test_every_lane_with_endless_work_gets_its_share(lanes, words, seed):
    worker = Worker()
    parts = 500
    records = [lane for lane in lanes for _ in range(parts * PART_WORDS // words + 50)]
    random.Random(seed).shuffle(records)
    for lane in records:
        worker.send(lane, words)
    done = dict.fromkeys(Lane, 0)
    for _ in range(parts):
        if found := worker.work():
            done[found[0]] += found[1]
    total = sum(done.values())
    for priority in Priority:
        own = [lane for lane in LANES_OF[priority] if lane in lanes]
        together = sum(done[lane] for lane in own)
        if own:
            assert together >= total * (SHARES.guaranteed.get(priority, 0.6) - 0.03)
        if len(own) == 2:
            assert 0.2 <= done[own[1]] / together <= 0.4

"""Urgent work first, and nobody starves."""

from collections import Counter

from connectors.kafka.committing_reader import TakenRecord
from inference_workers.priority_source import Next, PriorityCredit, PrioritySource, Shares
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of
from tests.worker_cycle import taken as with_tickets

SHARES = Shares({Priority.HIGH: 0.2, Priority.STANDARD: 0.1})
WORDS = 100


class Queue:
    """A group member whose records wait in a list; records look `waited_seconds` old."""

    def __init__(self, name: str, count: int, waited_seconds: float = 0.0) -> None:
        self.waiting = [
            InboundRecord(name, 0, at, None, b"", {"words": b"100"}, int(-waited_seconds * 1000))
            for at in range(count)
        ]
        self.waits: list[float] = []
        self.topics = [name]

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        self.waits.append(timeout_seconds)
        found, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return with_tickets(found)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def source(critical: Queue, high: Queue, standard: Queue, budget: int = 200) -> PrioritySource[Queue]:
    queues = dict(zip(Priority, (critical, high, standard), strict=True))
    credit = PriorityCredit(SHARES, most_words=500)
    return PrioritySource(queues, credit, lambda: budget, lambda: 0, clock=Clock())


def clock_of(source: PrioritySource[Queue]) -> Clock:
    assert isinstance(source.clock, Clock)
    return source.clock


def following(source: PrioritySource[Queue], in_hand: list[Priority]) -> Next:
    found = source.next(in_hand)
    assert found is not None
    return found


def worked(source: PrioritySource[Queue], parts: int) -> Counter[Priority]:
    """Work through as many parts of one record each as the loop would, and count them."""
    hands: dict[Priority, int] = {}
    done: Counter[Priority] = Counter()
    while done.total() < parts and (found := source.next(hands.keys())):
        hands[found.priority] = hands.get(found.priority, 0) + len(found.taken) - 1
        if not hands[found.priority]:
            del hands[found.priority]
        source.spent(found.priority, WORDS)
        done[found.priority] += 1
    return done


def test_the_most_urgent_comes_first_and_each_take_is_of_one_priority():
    busy = source(Queue("c", 2), Queue("h", 2), Queue("s", 2))
    takes = [busy.next([]) for _ in range(3)]
    assert [[one.record.topic for one in take.taken] for take in takes if take] == [
        ["c"] * 2,
        ["h"] * 2,
        ["s"] * 2,
    ]


def test_urgent_work_that_comes_between_two_parts_is_next():
    critical, standard = Queue("c", 0), Queue("s", 50)
    busy = source(critical, Queue("h", 0), standard)
    assert following(busy, []).priority is Priority.STANDARD
    assert busy.next([Priority.STANDARD]) == (Priority.STANDARD, [])
    critical.waiting = Queue("c", 1).waiting
    assert following(busy, [Priority.STANDARD]).priority is Priority.CRITICAL


def test_nothing_is_taken_for_a_priority_whose_work_is_in_hand():
    standard = Queue("s", 50)
    busy = source(Queue("c", 0), Queue("h", 0), standard)
    busy.next([])
    left = len(standard.waiting)
    for _ in range(5):
        busy.next([Priority.STANDARD])
    assert len(standard.waiting) == left


def test_a_take_ends_when_its_budget_of_words_is_used_up():
    assert (
        len(following(source(Queue("c", 50), Queue("h", 0), Queue("s", 0), budget=1000), []).taken)
        == 1000 // WORDS
    )


def test_each_priority_gets_its_guaranteed_share_of_an_endless_stream_of_critical_work():
    counts = worked(source(Queue("c", 9000), Queue("h", 9000), Queue("s", 9000)), parts=1000)
    assert 0.15 <= counts[Priority.HIGH] / 1000 <= 0.25
    assert 0.07 <= counts[Priority.STANDARD] / 1000 <= 0.13
    assert counts[Priority.CRITICAL] / 1000 >= 0.6


def test_an_unused_share_goes_to_those_who_wait():
    counts = worked(source(Queue("c", 900), Queue("h", 0), Queue("s", 0)), parts=100)
    assert counts == {Priority.CRITICAL: 100}


def test_work_that_waited_half_its_service_level_gets_the_larger_share():
    counts = worked(source(Queue("c", 9000), Queue("h", 0), Queue("s", 9000, waited_seconds=400)), parts=1000)
    assert counts[Priority.STANDARD] / 1000 > 0.3


def test_no_burst_follows_a_lull():
    lull = source(Queue("c", 9000), Queue("h", 0), Queue("s", 0))
    worked(lull, parts=500)
    lull.by_priority[Priority.STANDARD].waiting = Queue("s", 9000).waiting
    assert worked(lull, parts=10)[Priority.STANDARD] <= 1


def test_an_idle_source_waits_where_something_came_last_and_glances_at_the_others():
    queues = Queue("c", 0), Queue("h", 1), Queue("s", 0)
    idle = source(*queues)
    assert following(idle, []).priority is Priority.HIGH
    assert idle.next([]) is None
    for queue in queues:
        queue.waits.clear()
    assert idle.next([]) is None
    assert [queue.waits for queue in queues] == [[0.0], [0.010], [0.0]]


def test_after_ten_silent_seconds_the_waits_are_longer():
    queues = Queue("c", 1), Queue("h", 0), Queue("s", 0)
    idle = source(*queues)
    for _ in range(2):
        idle.next([])
    clock_of(idle).seconds = 10.1
    idle.next([])
    assert queues[0].waits[-1] == 0.05


def test_while_work_is_in_hand_nobody_waits():
    queues = Queue("c", 0), Queue("h", 0), Queue("s", 0)
    idle = source(*queues)
    for _ in range(3):
        idle.next([])
    for queue in queues:
        queue.waits.clear()
    idle.next([Priority.STANDARD])
    assert [queue.waits for queue in queues] == [[0.0], [0.0], []]


def test_every_group_is_asked_in_time_while_others_have_all_the_work():
    queues = Queue("c", 9000), Queue("h", 0), Queue("s", 9000)
    busy = source(*queues)
    busy.credit = PriorityCredit(Shares({}, aged_share=0.0), most_words=500)
    worked(busy, parts=50)
    assert queues[2].waits == []
    busy.keep_memberships()
    assert queues[2].waits == []
    clock_of(busy).seconds = 21.0
    busy.keep_memberships()
    assert queues[2].waits == [0.0]
    # What came with it is worked on in its turn, and first.
    queues[0].waiting.clear()
    takes = [[one.record.offset for one in following(busy, []).taken] for _ in range(2)]
    assert takes == [[50], [0, 1]]


def test_a_record_without_a_words_header_is_guessed_by_its_size():
    assert words_of(InboundRecord("t", 0, 0, None, b"x" * 700)) == 100
    assert words_of(InboundRecord("t", 0, 0, None, b"x", {"words": b"12"})) == 12
    assert words_of(InboundRecord("t", 0, 0, None, b"x" * 70, {"words": b"-3"})) == 10


def test_a_take_ends_with_its_bytes_although_the_words_say_little():
    urgent = Queue("c", 0)
    urgent.waiting = [InboundRecord("c", 0, at, None, b"x" * 1000, {"words": b"0"}, 0) for at in range(500)]
    bounded = source(urgent, Queue("h", 0), Queue("s", 0), budget=400)
    bounded.take_bytes = 9_500
    assert len(following(bounded, []).taken) == 10
    bounded.take_bytes = 10_000_000
    assert len(following(bounded, []).taken) == 400

"""Urgent work first, and nobody starves."""

from collections import Counter
from collections.abc import Set

from connectors.kafka.committing_reader import TakenRecord
from inference_workers.priority_credit import PriorityCredit, Shares
from inference_workers.priority_source import Next, PrioritySource
from schemas.lanes import Lane
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of
from tests.worker_cycle import NoWatch
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
        self.is_settled = True

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        self.waits.append(timeout_seconds)
        found, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return with_tickets(found)

    def hold(self, topics: Set[str]) -> None:
        raise AssertionError(f"{self.topics} has a reader of its own, which nobody has to hold: {topics}")


class Both:
    """A member of the group of both bulk lanes, whose fetches hold what is less urgent before what is more so."""

    def __init__(self, high: Queue, standard: Queue) -> None:
        self.high, self.standard = high, standard
        self.topics = [*high.topics, *standard.topics]
        self.held: Set[str] = frozenset()
        self.is_settled = True

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        for queue in (self.standard, self.high):
            if queue.topics[0] not in self.held and (found := queue.take(limit, timeout_seconds)):
                return found
        return []

    def hold(self, topics: Set[str]) -> None:
        self.held = topics


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def source(
    critical: Queue, high: Queue, standard: Queue, budget: int = 200, **bulk: Queue
) -> PrioritySource[Queue | Both]:
    """Bulk lanes are empty but for those given, by the priority that they belong to."""
    both = Both(bulk.get("high_bulk", Queue("hb", 0)), bulk.get("standard_bulk", Queue("sb", 0)))
    readers: list[Queue | Both] = [critical, high, standard, both]
    topics = dict(zip(Lane, ("c", "h", "hb", "s", "sb"), strict=True))
    credit = PriorityCredit(SHARES, most_words=500)
    return PrioritySource(readers, topics, credit, lambda: budget, lambda: 0, NoWatch(), clock=Clock())


def clock_of(source: PrioritySource[Queue | Both]) -> Clock:
    assert isinstance(source.clock, Clock)
    return source.clock


def bulk_reader(source: PrioritySource[Queue | Both]) -> Both:
    (found,) = (reader for reader in source.readers if isinstance(reader, Both))
    return found


def following(source: PrioritySource[Queue | Both], in_hand: list[Lane]) -> Next:
    found = source.next(in_hand)
    assert found is not None
    return found


def shares(source: PrioritySource[Queue | Both], parts: int = 1000) -> dict[Lane, float]:
    """Return the share of each lane in the parts."""
    return {lane: count / parts for lane, count in worked(source, parts).items()}


def worked(source: PrioritySource[Queue | Both], parts: int) -> Counter[Lane]:
    """Work through as many parts of one record each as the loop would, and count them."""
    hands: dict[Lane, int] = {}
    done: Counter[Lane] = Counter()
    while done.total() < parts and (found := source.next(hands.keys())):
        hands[found.lane] = hands.get(found.lane, 0) + len(found.taken) - 1
        if not hands[found.lane]:
            del hands[found.lane]
        source.spent(found.lane, WORDS)
        done[found.lane] += 1
    return done


def test_the_most_urgent_comes_first_and_each_take_is_of_one_priority():
    busy = source(Queue("c", 2), Queue("h", 2), Queue("s", 2))
    takes = [busy.next([]) for _ in range(3)]
    assert [[one.record.topic for one in take.taken] for take in takes if take] == [
        ["c"] * 2,
        ["h"] * 2,
        ["s"] * 2,
    ]


def test_only_work_that_is_served_before_a_lane_interrupts_it_and_none_of_it_is_lost():
    high, both = Queue("h", 0), Queue("sb", 1)
    busy = source(Queue("c", 0), high, Queue("s", 2), standard_bulk=both)
    assert following(busy, []).lane is Lane.STANDARD
    assert not busy.has_before(Lane.STANDARD)
    assert not busy.has_before(Lane.STANDARD_BULK)
    high.waiting = Queue("h", 2).waiting
    assert busy.has_before(Lane.STANDARD)
    assert busy.has_before(Lane.STANDARD)
    assert not busy.has_before(Lane.HIGH)
    found = following(busy, [Lane.STANDARD])
    assert (found.lane, [one.record.offset for one in found.taken]) == (Lane.HIGH, [0, 1])


def test_urgent_work_interrupts_a_lane_that_has_credit_too_as_the_credit_is_spent_text_by_text():
    busy = source(Queue("c", 9), Queue("h", 0), Queue("s", 2))
    following(busy, [])
    # A tenth of these words is credit of standard work.
    busy.spent(Lane.CRITICAL, 300)
    assert following(busy, [Lane.CRITICAL]).lane is Lane.STANDARD
    assert busy.has_before(Lane.STANDARD)


def test_urgent_work_that_comes_between_two_parts_is_next():
    critical, standard = Queue("c", 0), Queue("s", 50)
    busy = source(critical, Queue("h", 0), standard)
    assert following(busy, []).lane is Lane.STANDARD
    assert busy.next([Lane.STANDARD]) == (Lane.STANDARD, [])
    critical.waiting = Queue("c", 1).waiting
    assert following(busy, [Lane.STANDARD]).lane is Lane.CRITICAL


def test_nothing_is_taken_for_a_priority_whose_work_is_in_hand():
    standard = Queue("s", 50)
    busy = source(Queue("c", 0), Queue("h", 0), standard)
    busy.next([])
    left = len(standard.waiting)
    for _ in range(5):
        busy.next([Lane.STANDARD])
    assert len(standard.waiting) == left


def test_a_take_ends_when_its_budget_of_words_is_used_up():
    assert (
        len(following(source(Queue("c", 50), Queue("h", 0), Queue("s", 0), budget=1000), []).taken)
        == 1000 // WORDS
    )


def test_each_priority_gets_its_guaranteed_share_of_an_endless_stream_of_critical_work():
    counts = worked(source(Queue("c", 9000), Queue("h", 9000), Queue("s", 9000)), parts=1000)
    assert 0.15 <= counts[Lane.HIGH] / 1000 <= 0.25
    assert 0.07 <= counts[Lane.STANDARD] / 1000 <= 0.13
    assert counts[Lane.CRITICAL] / 1000 >= 0.6


def test_an_unused_share_goes_to_those_who_wait():
    counts = worked(source(Queue("c", 900), Queue("h", 0), Queue("s", 0)), parts=100)
    assert counts == {Lane.CRITICAL: 100}


def test_work_that_waited_half_its_service_level_gets_the_larger_share():
    counts = worked(source(Queue("c", 9000), Queue("h", 0), Queue("s", 9000, waited_seconds=400)), parts=1000)
    assert counts[Lane.STANDARD] / 1000 > 0.3


def test_no_burst_follows_a_lull():
    lull = source(Queue("c", 9000), Queue("h", 0), standard := Queue("s", 0))
    worked(lull, parts=500)
    standard.waiting = Queue("s", 9000).waiting
    assert worked(lull, parts=10)[Lane.STANDARD] <= 1


def test_an_idle_source_waits_where_something_came_last_and_glances_at_the_others():
    queues = Queue("c", 0), Queue("h", 1), Queue("s", 0)
    idle = source(*queues)
    assert following(idle, []).lane is Lane.HIGH
    assert idle.next([]) is None
    for queue in queues:
        queue.waits.clear()
    assert idle.next([]) is None
    assert [queue.waits for queue in queues] == [[0.0], [0.010], [0.0]]


def test_while_work_is_in_hand_nobody_waits():
    queues = Queue("c", 0), Queue("h", 0), Queue("s", 0)
    idle = source(*queues)
    for _ in range(3):
        idle.next([])
    for queue in queues:
        queue.waits.clear()
    idle.next([Lane.STANDARD])
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


def many(name: str) -> Queue:
    return Queue(name, 9000)


def none(name: str) -> Queue:
    return Queue(name, 0)


def test_lanes_are_served_in_their_order():
    high_bulk, standard_bulk = Queue("hb", 2), Queue("sb", 2)
    busy = source(Queue("c", 2), Queue("h", 2), Queue("s", 2), high_bulk=high_bulk, standard_bulk=standard_bulk)
    takes = [following(busy, []) for _ in range(5)]
    assert [take.lane for take in takes] == list(Lane)
    assert [[one.record.offset for one in take.taken] for take in takes] == [[0, 1]] * 5


def test_a_short_request_that_comes_between_two_parts_of_a_long_one_is_next():
    long = Queue("sb", 5000)
    busy = source(none("c"), none("h"), short := none("s"), standard_bulk=long)
    assert following(busy, []).lane is Lane.STANDARD_BULK
    assert busy.next([Lane.STANDARD_BULK]) == (Lane.STANDARD_BULK, [])
    short.waiting = Queue("s", 1).waiting
    found = following(busy, [Lane.STANDARD_BULK])
    assert (found.lane, len(found.taken)) == (Lane.STANDARD, 1)


def test_what_is_long_and_urgent_passes_a_flood_of_what_is_long():
    busy = source(none("c"), none("h"), none("s"), high_bulk=Queue("hb", 3), standard_bulk=many("sb"))
    assert [following(busy, []).lane for _ in range(3)] == [Lane.HIGH_BULK, Lane.HIGH_BULK, Lane.STANDARD_BULK]


def test_of_the_lane_that_is_not_asked_for_only_some_takes_are_kept():
    busy = source(none("c"), none("h"), none("s"), standard_bulk=(long := many("sb")))
    reader = bulk_reader(busy)
    following(busy, [])
    # Five takes of two records of 100 words each, of which one is in hand.
    assert (9000 - len(long.waiting), reader.held) == (10, {"sb"})
    assert [one.record.offset for one in following(busy, []).taken] == [2, 3]
    assert (9000 - len(long.waiting), reader.held) == (10, {"sb"})
    following(busy, [])
    assert reader.held == set()


def test_what_is_kept_is_read_again_before_it_is_used_up():
    busy = source(none("c"), none("h"), none("s"), standard_bulk=Queue("sb", 500))
    reader = bulk_reader(busy)
    taken = []
    for _ in range(250):
        taken += [one.record.offset for one in following(busy, []).taken]
        if busy.next([Lane.STANDARD_BULK]) is None:
            break
    assert taken == list(range(500))
    assert reader.held == set()


def test_after_a_restart_nothing_is_kept():
    busy = source(none("c"), none("h"), none("s"), standard_bulk=(long := many("sb")))
    following(busy, [])
    busy.next([Lane.STANDARD_BULK])
    busy.restart()
    bulk_reader(busy).hold(frozenset())
    long.waiting = many("sb").waiting
    assert [one.record.offset for one in following(busy, []).taken] == [0, 1]


def test_a_bulk_lane_gets_30_percent_of_its_priority_beside_endless_short_requests():
    found = shares(source(none("c"), none("h"), many("s"), standard_bulk=many("sb")))
    assert 0.28 <= found[Lane.STANDARD_BULK] <= 0.32
    assert found[Lane.STANDARD] + found[Lane.STANDARD_BULK] == 1


def test_a_bulk_lane_takes_nothing_from_other_priorities():
    found = shares(source(many("c"), many("h"), many("s"), high_bulk=many("hb"), standard_bulk=many("sb")))
    high, standard = found[Lane.HIGH] + found[Lane.HIGH_BULK], found[Lane.STANDARD] + found[Lane.STANDARD_BULK]
    assert (0.15 <= high <= 0.25, 0.07 <= standard <= 0.13) == (True, True)
    assert 0.25 <= found[Lane.HIGH_BULK] / high <= 0.35
    assert 0.2 <= found[Lane.STANDARD_BULK] / standard <= 0.4


def test_alone_in_its_priority_a_lane_takes_what_the_other_does_not_need():
    assert worked(source(none("c"), many("h"), none("s")), 100) == {Lane.HIGH: 100}
    assert worked(source(none("c"), none("h"), none("s"), high_bulk=many("hb")), 100) == {Lane.HIGH_BULK: 100}


def test_short_requests_owe_a_long_one_nothing_for_the_time_before_it_came():
    busy = source(none("c"), none("h"), many("s"), standard_bulk=(long := none("sb")))
    worked(busy, 500)
    long.waiting = many("sb").waiting
    assert worked(busy, parts=10)[Lane.STANDARD_BULK] <= 4

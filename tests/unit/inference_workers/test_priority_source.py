"""Urgent work first, and nobody starves."""

from collections import Counter

from inference_workers.priority_source import PriorityCredit, PrioritySource, Shares
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of

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

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        self.waits.append(timeout_seconds)
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken


def source(critical: Queue, high: Queue, standard: Queue, budget: int = 1000) -> PrioritySource[Queue]:
    queues = dict(zip(Priority, (critical, high, standard), strict=True))
    return PrioritySource(queues, PriorityCredit(SHARES, most_words=500), lambda: budget, lambda: 0)


def taken(source: PrioritySource[Queue], cycles: int) -> Counter[str]:
    return Counter(record.topic for _ in range(cycles) for record in source.take())


def test_the_most_urgent_comes_first():
    records = source(Queue("c", 2), Queue("h", 2), Queue("s", 2)).take()
    assert [record.topic for record in records] == ["c", "c", "h", "h", "s", "s"]


def test_a_cycle_ends_when_its_budget_of_words_is_used_up():
    assert len(source(Queue("c", 50), Queue("h", 0), Queue("s", 0)).take()) == 1000 // WORDS


def test_each_priority_gets_its_guaranteed_share_of_an_endless_stream_of_critical_work():
    counts = taken(source(Queue("c", 9000), Queue("h", 9000), Queue("s", 9000)), cycles=100)
    total = sum(counts.values())
    assert 0.15 <= counts["h"] / total <= 0.25
    assert 0.07 <= counts["s"] / total <= 0.13
    assert counts["c"] / total >= 0.6


def test_an_unused_share_goes_to_those_who_wait():
    counts = taken(source(Queue("c", 900), Queue("h", 0), Queue("s", 0)), cycles=10)
    assert counts == {"c": 100}


def test_work_that_waited_half_its_service_level_gets_the_larger_share():
    counts = taken(source(Queue("c", 9000), Queue("h", 0), Queue("s", 9000, waited_seconds=400)), cycles=100)
    assert counts["s"] / sum(counts.values()) > 0.3


def test_no_burst_follows_a_lull():
    lull = source(Queue("c", 9000), Queue("h", 0), Queue("s", 0))
    taken(lull, cycles=50)
    lull.by_priority[Priority.STANDARD].waiting = Queue("s", 9000).waiting
    assert taken(lull, cycles=1)["s"] <= 1


def test_an_idle_source_waits_on_the_critical_queue_only():
    queues = Queue("c", 0), Queue("h", 0), Queue("s", 0)
    assert source(*queues).take() == []
    assert [sum(queue.waits) for queue in queues] == [0.05, 0.0, 0.0]


def test_every_group_is_polled_while_critical_work_never_ends():
    queues = Queue("c", 9000), Queue("h", 0), Queue("s", 0)
    busy = source(*queues)
    taken(busy, cycles=20)
    assert len(queues[1].waits) > 1
    assert len(queues[2].waits) > 1


def test_a_record_without_a_words_header_is_guessed_by_its_size():
    assert words_of(InboundRecord("t", 0, 0, None, b"x" * 700)) == 100
    assert words_of(InboundRecord("t", 0, 0, None, b"x", {"words": b"12"})) == 12
    assert words_of(InboundRecord("t", 0, 0, None, b"x" * 70, {"words": b"-3"})) == 10


def test_a_cycle_ends_with_its_bytes_although_the_words_say_little():
    urgent = Queue("c", 0)
    urgent.waiting = [InboundRecord("c", 0, at, None, b"x" * 1000, {"words": b"0"}, 0) for at in range(500)]
    bounded = source(urgent, Queue("h", 0), Queue("s", 0), budget=400)
    bounded.cycle_bytes = 9_500
    assert len(bounded.take()) == 10
    bounded.cycle_bytes = 10_000_000
    assert len(bounded.take()) == 400

"""Which records a worker takes for its next cycle."""

from inference_workers.priority_source import PriorityCredit, PrioritySource, Shares
from schemas.priorities import Priority
from schemas.records import InboundRecord, words_of

CRITICAL, HIGH, STANDARD = Priority


class Queue:
    """Records of some words each, oldest first."""

    def __init__(self, priority: Priority, count: int, words: int = 10) -> None:
        self.waits: list[float] = []
        self.records = [
            InboundRecord(priority, 0, at, b"", b"", {"words": str(words).encode()}) for at in range(count)
        ]

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        self.waits.append(timeout_seconds)
        taken, self.records = self.records[:limit], self.records[limit:]
        return taken


def source(critical=0, high=0, standard=0, budget=50, shares=None) -> PrioritySource[Queue]:
    queues = {
        priority: Queue(priority, count)
        for priority, count in zip(Priority, (critical, high, standard), strict=True)
    }
    credit = PriorityCredit(Shares(shares or {}), most_words=100)
    return PrioritySource(queues, credit, lambda: budget, now_ms=lambda: 0)


def topics(records: list[InboundRecord]) -> list[str]:
    return [record.topic for record in records]


def test_the_most_urgent_come_first_and_the_budget_ends_the_cycle():
    assert topics(source(critical=3, high=9, standard=9).take()) == [CRITICAL] * 3 + [HIGH] * 2


def test_what_urgent_work_leaves_goes_to_the_rest():
    assert topics(source(critical=1, standard=9).take()) == [CRITICAL] + [STANDARD] * 4


def test_a_guaranteed_share_is_served_although_critical_work_never_ends():
    busy = source(critical=1000, standard=1000, shares={STANDARD: 0.2})
    taken = [topic for _ in range(20) for topic in topics(busy.take())]
    assert 0.15 < taken.count(STANDARD) / len(taken) < 0.25


def test_an_idle_cycle_waits_for_critical_work_only_and_only_once():
    idle = source()
    assert idle.take() == []
    assert [sum(queue.waits) for queue in idle.readers] == [idle.idle_wait_seconds, 0.0, 0.0]


def test_a_record_without_a_words_header_counts_by_its_size():
    record = InboundRecord("t", 0, 0, b"", b"x" * 70)
    assert words_of(record) == 10
    assert words_of(InboundRecord("t", 0, 0, b"", b"x" * 70, {"words": b"-3"})) == 10

"""A transaction waits for company where that costs its answers little."""

import pytest

from schemas.priorities import Priority
from schemas.records import PRIORITY_HEADER, InboundRecord, accepted_header
from schemas.topics import TRANSLATED
from stream_apps.assembly.pace import Pace

NOW_MS = 1_000_000


class Clock:
    """Counts the seconds that it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def record(priority: Priority, waited_seconds: float = 0.05) -> InboundRecord:
    accepted = accepted_header(NOW_MS - round(waited_seconds * 1000))
    headers = accepted | {PRIORITY_HEADER: priority.encode()}
    return InboundRecord(TRANSLATED, 0, 1, b"tenant/id", b"", headers, NOW_MS)


def test_an_answer_that_came_soon_hardly_waits():
    clock = Clock()
    pace, answer = Pace(clock=clock), [record(Priority.STANDARD)]
    assert pace.pause_seconds(answer) == 0
    pace.took(answer)
    clock.now += 0.02
    assert pace.pause_seconds(answer) == 0


@pytest.mark.parametrize("priority", list(Priority))
def test_an_answer_waits_a_tenth_of_what_it_has_waited_and_a_quarter_of_a_second_at_most(priority):
    pace = Pace(clock=Clock())
    pace.took([record(Priority.STANDARD)])
    assert round(pace.pause_seconds([record(priority, 1.0)]), 6) == 0.1
    assert round(pace.pause_seconds([record(priority, 60.0)]), 6) == 0.25


def test_a_clock_that_is_behind_makes_no_answer_wait():
    pace = Pace(clock=Clock())
    pace.took([record(Priority.STANDARD)])
    assert pace.pause_seconds([record(Priority.STANDARD, -5.0)]) == 0


def test_where_much_arrives_urgent_records_wait_less_unless_they_have_waited_long():
    pace = Pace(clock=Clock())
    pace.took([record(Priority.CRITICAL)] * 30)
    assert round(pace.pause_seconds([record(Priority.CRITICAL, 0.1)]), 6) == 0.04
    assert round(pace.pause_seconds([record(Priority.CRITICAL, 1.5)]), 6) == 0.15


def test_the_most_urgent_record_decides():
    pace = Pace(clock=Clock())
    pace.took([record(Priority.STANDARD)])
    assert pace.pause_seconds([record(Priority.STANDARD, 60.0), record(Priority.CRITICAL, 0.1)]) < 0.02


def test_where_much_arrives_a_transaction_waits_for_more():
    clock = Clock()
    pace, burst = Pace(clock=clock), [record(Priority.STANDARD)] * 30
    pace.took(burst)
    clock.now += 0.1
    assert round(pace.pause_seconds(burst), 6) == 0.15
    clock.now += 0.2
    assert pace.pause_seconds(burst) == 0


def test_nothing_waits_for_nothing():
    assert Pace(clock=Clock()).pause_seconds([]) == 0

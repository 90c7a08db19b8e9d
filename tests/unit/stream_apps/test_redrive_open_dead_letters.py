"""Which dead letters are open, and which of them a filter means."""

import pytest

from schemas.records import InboundRecord
from schemas.topics import DEAD_LETTERS
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, OpenDeadLetters
from tests.failed_records import CODEC, REQUESTS, inbound


@pytest.fixture
def dead_letters(failures):
    for at, cause in enumerate(("a", "b", "a")):
        failures.add(inbound(b"x", offset=at), cause=cause, at=at)
    return failures.dead_letters


@pytest.mark.parametrize(
    ("wanted", "failed_at"),
    [
        ({}, [0, 1, 2]),
        ({"cause": "a"}, [0, 2]),
        ({"cause": "a", "limit": 1}, [0]),
        ({"limit": 1}, [0]),
        ({"since_ms": 1, "until_ms": 2}, [1]),
        ({"tenant": "other"}, []),
        ({"stage": "usage_sink"}, []),
        ({"tenant": "acme", "request": "r1", "topic": REQUESTS, "stage": "intake"}, [0, 1, 2]),
    ],
)
def test_a_filter_narrows_and_its_limit_takes_the_oldest(dead_letters, wanted, failed_at):
    assert [one.failed_at for one in DeadLetterFilter(**wanted).select(dead_letters)] == failed_at


def test_an_id_means_one_dead_letter(dead_letters):
    wanted = DeadLetterFilter(ids=(dead_letters[1].dead_letter_id,))
    assert wanted.select(dead_letters) == [dead_letters[1]]


def test_a_filter_that_narrows_nothing_means_all():
    assert DeadLetterFilter().means_all
    assert not DeadLetterFilter(limit=3).means_all
    assert not DeadLetterFilter(since_ms=1).means_all


def test_a_record_that_is_no_dead_letter_is_counted_and_skipped():
    found = OpenDeadLetters(CODEC, lambda _: True)
    found.add(InboundRecord(DEAD_LETTERS, 0, 0, b"k", b"rubbish"))
    found.add(InboundRecord(DEAD_LETTERS, 0, 1, None, None))
    assert (found.unreadable, found.oldest_first()) == (1, [])

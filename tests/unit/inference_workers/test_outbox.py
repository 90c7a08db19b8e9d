"""A record is acknowledged when everything that it led to is stored, and its usage."""

import pytest

from connectors.kafka.commit_tracker import Ticket
from inference_workers.outbox import Outbox
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord


class Kafka:
    """Stores what it is told to, when it is told to."""

    def __init__(self):
        self.waiting = []

    def send_async(self, record, on_done):
        self.waiting.append((record.value, on_done))

    def stores(self, *values, error=None):
        for value in values:
            index = next(at for at, (found, _) in enumerate(self.waiting) if found == value)
            self.waiting.pop(index)[1](error)


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def outbox(kafka):
    return Outbox(kafka, Clock())


def ticket(offset):
    return Ticket("t", 0, offset, 1, 0.0)


def out(value):
    return OutboundRecord("out", None, value)


ONE, TWO = ticket(1), ticket(2)


def test_a_record_waits_for_each_of_its_outputs_and_for_the_usage_of_its_second(kafka, outbox):
    outbox.send(ONE, [out(b"translation"), out(b"dead letter")], has_usage=True)
    kafka.stores(b"translation")
    assert outbox.acknowledged() == []
    outbox.send_usage([out(b"usage")])
    kafka.stores(b"usage")
    assert outbox.acknowledged() == []
    kafka.stores(b"dead letter")
    assert outbox.acknowledged() == [ONE]
    assert outbox.acknowledged() == []
    assert outbox.is_empty


def test_the_usage_of_one_second_says_nothing_about_the_next(kafka, outbox):
    outbox.send(ONE, [out(b"1")], has_usage=True)
    outbox.send_usage([out(b"first second")])
    outbox.send(TWO, [out(b"2")], has_usage=True)
    kafka.stores(b"1", b"2", b"first second")
    assert outbox.acknowledged() == [ONE]
    outbox.send_usage([out(b"second second")])
    kafka.stores(b"second second")
    assert outbox.acknowledged() == [TWO]


def test_usage_of_several_records_is_waited_for_as_a_whole(kafka, outbox):
    outbox.send(ONE, [out(b"1")], has_usage=True)
    outbox.send_usage([out(b"rows"), out(b"more rows")])
    kafka.stores(b"1", b"rows")
    assert outbox.acknowledged() == []
    kafka.stores(b"more rows")
    assert outbox.acknowledged() == [ONE]


def test_what_leads_to_nothing_is_acknowledged_at_once(outbox):
    outbox.send(ONE, [], has_usage=False)
    assert outbox.acknowledged() == [ONE]


def test_a_failure_stays_until_everything_comes_again(kafka, outbox):
    outbox.send(ONE, [out(b"1")], has_usage=False)
    outbox.send(TWO, [out(b"2")], has_usage=False)
    kafka.stores(b"1", error=TransientError("timed out"))
    kafka.stores(b"2", error=FatalError("later"))
    outbox.wait(0.0)
    assert outbox.acknowledged() == []
    for _ in range(2):
        with pytest.raises(TransientError, match="timed out"):
            outbox.check()
    outbox.restart()
    outbox.check()


def test_reports_from_before_a_restart_mean_nothing(kafka, outbox):
    outbox.send(ONE, [out(b"1")], has_usage=True)
    outbox.send(TWO, [out(b"2")], has_usage=False)
    outbox.restart()
    outbox.send_usage([])
    kafka.stores(b"1")
    kafka.stores(b"2", error=TransientError("timed out"))
    assert outbox.acknowledged() == []
    outbox.check()
    assert (outbox.is_empty, outbox.unacknowledged_bytes) == (True, 0)


def test_it_tells_how_much_is_on_its_way_and_since_when_nothing_was_heard(kafka, outbox):
    outbox._clock.seconds = 5.0
    outbox.send(ONE, [out(b"four"), out(b"seven..")], has_usage=False)
    outbox._clock.seconds = 7.0
    assert (outbox.unacknowledged_bytes, outbox.silent_seconds, outbox.is_empty) == (11, 2.0, False)
    kafka.stores(b"four")
    outbox.acknowledged()
    assert (outbox.unacknowledged_bytes, outbox.silent_seconds) == (7, 0.0)
    kafka.stores(b"seven..")
    outbox.acknowledged()
    outbox._clock.seconds = 70.0
    assert (outbox.unacknowledged_bytes, outbox.silent_seconds) == (0, 0.0)

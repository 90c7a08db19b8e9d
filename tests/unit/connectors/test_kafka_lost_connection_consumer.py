"""When a consumer that receives nothing checks its connection."""

import pytest

from connectors.kafka.client_config import consumer_config
from connectors.kafka.lost_connection import LostConnection, LostConnectionError, WatchfulConsumer
from connectors.kafka.settings import KafkaSettings


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("connectors.kafka.lost_connection.time", clock)
    return clock


@pytest.fixture
def open_consumer(clock):
    """A consumer whose checks have the given results, one after the other."""
    opened = []

    def open_one(answered, new_client_answered=()):
        settings = KafkaSettings(bootstrap="127.0.0.1:1")
        consumer = WatchfulConsumer(settings, consumer_config(settings, "g", "i"))
        checks: list[float] = []
        answers, others = iter(answered), iter(new_client_answered)

        def is_answered():
            checks.append(clock.now)
            return next(answers)

        consumer._connection = LostConnection(is_answered, lambda: next(others))
        opened.append(consumer)
        return consumer, checks

    yield open_one
    for consumer in opened:
        consumer.close()


def be_idle(consumer, clock, seconds):
    for _ in range(int(seconds * 2)):
        clock.now += 0.5
        consumer.consume(1, 0)


def test_an_idle_consumer_checks_every_five_seconds(open_consumer, clock):
    consumer, checks = open_consumer([True] * 3)
    be_idle(consumer, clock, 17)
    assert checks == [105.5, 111.0, 116.5]


def test_after_a_failed_check_it_checks_again_two_seconds_later(open_consumer, clock):
    consumer, checks = open_consumer([False, False, True], [False, True])
    be_idle(consumer, clock, 11)
    assert checks == [105.5, 108.0, 110.5]


def test_a_record_puts_the_next_check_off(open_consumer, clock):
    consumer, checks = open_consumer([True])
    be_idle(consumer, clock, 4)
    consumer._check_if_idle(is_idle=False)
    be_idle(consumer, clock, 4)
    assert checks == []


def test_three_failed_checks_while_new_clients_are_answered_end_the_consumer(open_consumer, clock):
    consumer, checks = open_consumer([False] * 3, [True] * 3)
    with pytest.raises(LostConnectionError, match="not this one"):
        be_idle(consumer, clock, 30)
    assert checks == [105.5, 108.0, 110.5]

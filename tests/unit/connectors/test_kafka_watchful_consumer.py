"""When a consumer that brings nothing asks whether it is lost."""

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
    """Of a cluster that answers it with the given words, one for each question."""
    opened = []

    def open_one(heard, another_heard=()):
        settings = KafkaSettings(bootstrap="127.0.0.1:1")
        consumer = WatchfulConsumer(settings, consumer_config(settings, "g", "i"))
        consumer.questions = []
        words, others = iter(heard), iter(another_heard)

        def is_heard():
            consumer.questions.append(clock.now)
            return next(words)

        consumer._lost = LostConnection(is_heard, lambda: next(others))
        opened.append(consumer)
        return consumer

    yield open_one
    for consumer in opened:
        consumer.close()


def be_idle(consumer, clock, seconds):
    for _ in range(int(seconds * 2)):
        clock.now += 0.5
        consumer.consume(1, 0)


def test_who_is_idle_asks_every_five_seconds(open_consumer, clock):
    consumer = open_consumer([True] * 3)
    be_idle(consumer, clock, 17)
    assert consumer.questions == [105.5, 111.0, 116.5]


def test_who_is_not_heard_asks_again_two_seconds_later(open_consumer, clock):
    consumer = open_consumer([False, False, True], [False, True])
    be_idle(consumer, clock, 11)
    assert consumer.questions == [105.5, 108.0, 110.5]


def test_who_reads_something_begins_to_count_anew(open_consumer, clock):
    consumer = open_consumer([True])
    be_idle(consumer, clock, 4)
    consumer._noted(["a message"])
    be_idle(consumer, clock, 4)
    assert consumer.questions == []


def test_who_is_not_heard_three_times_while_others_are_is_lost(open_consumer, clock):
    consumer = open_consumer([False] * 3, [True] * 3)
    with pytest.raises(LostConnectionError, match="not this one"):
        be_idle(consumer, clock, 30)
    assert consumer.questions == [105.5, 108.0, 110.5]

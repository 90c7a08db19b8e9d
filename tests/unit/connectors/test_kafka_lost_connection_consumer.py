"""How a consumer watches its connection without asking anybody."""

import gc
import time
import weakref

import pytest

from connectors.kafka.client_config import consumer_config
from connectors.kafka.lost_connection import (
    STATISTICS_MS,
    LostConnection,
    LostConnectionError,
    WatchfulConsumer,
    is_connected,
)
from connectors.kafka.settings import KafkaSettings

DOWN = '{"brokers":{"b/1":{"state":"INIT"},"GroupCoordinator":{"state":"DOWN"}},"cgrp":{"state":"up"}}'
UP = '{"brokers":{"b/1":{"state":"UP"},"GroupCoordinator":{"state":"INIT"}},"cgrp":{"state":"init"}}'


@pytest.fixture
def open_consumer():
    """A consumer without a broker; new clients are answered as given, one after the other."""
    opened = []

    def open_one(new_client_answered):
        settings = KafkaSettings(bootstrap="127.0.0.1:1")
        consumer = WatchfulConsumer(settings, consumer_config(settings, "g", "i"))
        others = iter(new_client_answered)
        consumer._connection = LostConnection(lambda: consumer._link.is_connected, lambda: next(others))
        opened.append(consumer)
        return consumer

    yield open_one
    for consumer in opened:
        consumer.close()


def hear(consumer, *statistics):
    for one in statistics:
        consumer._link.note(one)
        consumer.consume(1, 0)


def test_only_the_state_of_a_broker_tells_whether_a_connection_is_up():
    assert is_connected(UP)
    assert not is_connected(DOWN)


def test_while_a_connection_is_up_nobody_is_asked(open_consumer):
    hear(open_consumer(()), UP, UP, UP)


def test_three_looks_without_a_connection_while_new_clients_are_answered_end_the_consumer(open_consumer):
    consumer = open_consumer([True] * 3)
    hear(consumer, DOWN, DOWN)
    with pytest.raises(LostConnectionError, match="not this one"):
        hear(consumer, DOWN)


def test_a_connection_that_comes_back_begins_the_count_anew(open_consumer):
    hear(open_consumer([True] * 4), DOWN, DOWN, UP, DOWN, DOWN)


def test_the_library_tells_a_consumer_its_statistics_while_it_consumes(open_consumer):
    consumer = open_consumer([False] * 3)
    end = time.monotonic() + STATISTICS_MS / 1000 + 5
    while consumer._link.is_connected and time.monotonic() < end:
        consumer.consume(1, 0.05)
    assert not consumer._link.is_connected


def test_a_closed_consumer_is_gone_without_the_collector():
    settings = KafkaSettings(bootstrap="127.0.0.1:1")
    gc.disable()
    try:
        consumer = WatchfulConsumer(settings, consumer_config(settings, "g", "i"))
        found = weakref.ref(consumer)
        consumer.close()
        del consumer
        assert found() is None
    finally:
        gc.enable()

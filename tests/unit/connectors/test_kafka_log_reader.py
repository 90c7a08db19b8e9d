"""A log reader waits for records, whatever notices come before them."""

import pytest
from confluent_kafka import KafkaError

from connectors.kafka.log_reader import LogReader


class Notice:
    """A partition has been read to its end."""

    def error(self):
        return KafkaError(KafkaError._PARTITION_EOF)

    def topic(self):
        return "topic"

    def partition(self):
        return 0

    def offset(self):
        return 7


class Record(Notice):
    """One that arrived afterwards."""

    def error(self):
        return None

    def key(self):
        return b"k"

    def value(self):
        return b"v"

    def headers(self):
        return None

    def timestamp(self):
        return (1, 0)


class Fetched:
    """Gives what it is made of, one at a time."""

    def __init__(self, *messages):
        self.messages = list(messages)

    def consume(self, _limit, _timeout):
        return [self.messages.pop(0)] if self.messages else []


@pytest.fixture
def reader_of():
    def make(*messages):
        reader = object.__new__(LogReader)
        reader._consumer = Fetched(*messages)
        return reader

    return make


def test_a_record_behind_notices_is_waited_for(reader_of):
    (record,) = reader_of(Notice(), Notice(), Record()).take(1, 5.0)
    assert record.offset == 7


def test_notices_alone_are_nothing(reader_of):
    assert reader_of(Notice(), Notice()).take(1, 0.01) == []

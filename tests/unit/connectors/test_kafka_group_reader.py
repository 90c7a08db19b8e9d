"""How much a reader takes at once: so many records, so many bytes."""

import pytest

from connectors.kafka import group_reader
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.settings import KafkaSettings


class Fetched:
    """A message that librdkafka has fetched."""

    def __init__(self, offset, size):
        self._offset, self._value = offset, b"x" * size

    def error(self):
        return None

    def topic(self):
        return "topic"

    def partition(self):
        return 0

    def offset(self):
        return self._offset

    def key(self):
        return None

    def value(self):
        return self._value

    def headers(self):
        return None

    def timestamp(self):
        return (1, 0)


class FetchingConsumer:
    """Ten messages of 100 bytes have been fetched."""

    def __init__(self, _config):
        self.left = [Fetched(offset, 100) for offset in range(10)]

    def consume(self, number, _timeout):
        taken, self.left = self.left[:number], self.left[number:]
        return taken


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.setattr(group_reader, "Consumer", FetchingConsumer)
    return GroupReader(KafkaSettings(), "group", ["topic"], "me")


@pytest.mark.parametrize(
    ("limit", "limit_bytes", "taken"), [(20, 250, 3), (20, 300, 3), (20, 1, 1), (2, 10_000, 2), (20, 10_000, 10)]
)
def test_the_record_that_fills_the_bytes_is_the_last_one(reader, limit, limit_bytes, taken):
    assert len(reader.take(limit, 0.0, limit_bytes)) == taken


def test_what_was_left_comes_next(reader):
    offsets = [record.offset for _ in range(4) for record in reader.take(20, 0.0, 300)]
    assert offsets == list(range(10))
    assert [place.offset for place in reader.offsets()] == [10]


def test_without_a_bound_in_bytes_all_that_was_fetched_is_taken(reader):
    assert len(reader.take(20, 0.0)) == 10

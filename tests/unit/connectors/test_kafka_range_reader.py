"""Where a range begins when partitions are assigned. The client is a fake."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from connectors.kafka import range_reader
from connectors.kafka.range_reader import RangeReader, StartingOffset
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError, TransientError


def committed(offset, metadata="", failure=None):
    """A partition as the broker answers for it; `failure` where it has no answer for this one."""
    return SimpleNamespace(topic="usage", partition=0, offset=offset, metadata=metadata, error=failure)


class Client:
    """Assigns partition 0 when records are asked for; `found` is what the group has committed in it."""

    def __init__(self, found):
        self.found, self.assigned = found, []

    def subscribe(self, _topics, on_assign, on_revoke, on_lost):
        self.on_assign = on_assign

    def consume(self, _limit, _timeout_seconds):
        self.on_assign(self, [TopicPartition("usage", 0)])
        return []

    def committed(self, _partitions, timeout):
        return [self.found]

    def get_watermark_offsets(self, _partition, timeout):
        return 3, 90

    def assign(self, partitions):
        self.assigned += [one.offset for one in partitions]


@pytest.fixture
def begin(monkeypatch):
    """Take once; return the client, and where the partition starts."""

    def begun(found):
        client = Client(found)
        starts: list[Any] = []
        monkeypatch.setattr(range_reader, "WatchfulConsumer", lambda _settings, _config: client)
        reader = RangeReader(KafkaSettings(), "usage_sink", ["usage"], "i")
        reader.subscribe(starts.extend, starts.clear)
        return client, starts, reader

    return begun


def test_a_range_that_was_announced_is_begun_again(begin):
    client, starts, reader = begin(committed(40, '{"max": 57}'))
    reader.take(10, 0.1)
    assert (client.assigned, starts) == ([40], [StartingOffset("usage", 0, 40, 57)])


def test_a_partition_without_a_commit_begins_with_its_first_record(begin):
    client, starts, reader = begin(committed(-1001))
    reader.take(10, 0.1)
    assert (client.assigned, starts) == ([3], [StartingOffset("usage", 0, 3, None)])


@pytest.mark.parametrize(
    ("code", "raised"),
    [(KafkaError.NOT_COORDINATOR, TransientError), (KafkaError.TOPIC_AUTHORIZATION_FAILED, FatalError)],
)
def test_a_commit_that_cannot_be_read_is_no_missing_one(begin, code, raised):
    client, starts, reader = begin(committed(-1001, failure=KafkaError(code)))
    with pytest.raises(raised):
        reader.take(10, 0.1)
    assert (client.assigned, starts) == ([], [])

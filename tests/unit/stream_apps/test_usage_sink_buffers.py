"""What the sink holds while ClickHouse is slow or refuses."""

import time
import uuid
from collections import deque

import pytest

from connectors.kafka.range_reader import StartingOffset
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import UsageBatch, UsageEvent
from schemas.records import InboundRecord
from schemas.states import UsageKind
from stream_apps.usage_sink.inserting import Inserter, InsertRetry
from stream_apps.usage_sink.sink import UsageSink
from tests.dead_letters import dead_letter_writer

CODEC = Codec()
NOW = round(time.time() * 1000)
EVENT = CODEC.encode(UsageBatch([UsageEvent(event_id=str(uuid.UUID(int=1)), kind=UsageKind.BILLED, at=NOW)]))


class UsageLog:
    """Six partitions with more records than anyone can hold; gives 500 of them at a time."""

    def __init__(self):
        self.taken = 0
        self.notes: deque[tuple[object, object]] = deque(maxlen=1000)

    def take(self, limit, timeout_seconds):
        first, self.taken = self.taken, self.taken + 500
        return [InboundRecord("usage", at % 6, at // 6, None, EVENT) for at in range(first, self.taken)]

    def announce(self, ranges):
        self.notes += ranges.items()

    def finish(self, lasts):
        self.notes += lasts.items()


class NoDeadLetters:
    def send(self, records, timeout_seconds=30.0):
        raise AssertionError("every event here is sound")


class Table:
    """Refuses so often, then takes."""

    def __init__(self, refusals=0):
        self.refusals = refusals
        self.rows = 0

    def insert(self, table, columns, token):
        if self.refusals:
            self.refusals -= 1
            raise TransientError("too many parts")
        self.rows += len(columns["event_id"])


@pytest.fixture
def usage_log():
    return UsageLog()


def sink_of(usage_log, table, **bounds):
    pauses: list[float] = []
    retry = InsertRetry(clock=lambda: 0.0, sleep=pauses.append)
    sink = UsageSink(
        usage_log, Inserter(table, retry), NoDeadLetters(), dead_letter_writer("usage_sink"), **bounds
    )
    sink.begin([StartingOffset("usage", number, 0, None) for number in range(6)])
    return sink, pauses


def turn(sink, usage_log):
    sink.accept(usage_log.take(50, 0.2))
    sink.write_due()


def test_rows_that_are_young_and_few_wait_for_a_larger_insert(usage_log):
    table = Table()
    sink, _ = sink_of(usage_log, table, buffered_rows=2000)
    turn(sink, usage_log)
    assert table.rows == 0


def test_the_partitions_together_never_hold_more_than_the_bound_and_one_take(usage_log):
    table = Table()
    sink, _ = sink_of(usage_log, table, buffered_rows=2000)
    for _ in range(50):
        turn(sink, usage_log)
        assert usage_log.taken - table.rows <= 2000 + 500
    sink.drain()
    assert table.rows == usage_log.taken == 25_000


def test_while_clickhouse_refuses_nothing_more_is_taken(usage_log):
    table = Table(refusals=20)
    sink, pauses = sink_of(usage_log, table, buffered_rows=500)
    turn(sink, usage_log)
    assert len(pauses) == 20
    assert usage_log.taken == table.rows == 500

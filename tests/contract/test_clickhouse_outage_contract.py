"""ClickHouse is away for ten minutes while usage goes on: afterwards the sink catches up, exactly."""

import time
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from connectors.clickhouse.database import Database
from connectors.kafka.range_reader import StartingOffset
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import UsageBatch, UsageEvent
from schemas.ids import event_id
from schemas.records import InboundRecord
from schemas.states import UsageKind
from schemas.topics import USAGE
from stream_apps.usage_sink.inserting import Inserter, InsertRetry
from stream_apps.usage_sink.sink import UsageSink
from tests.dead_letters import dead_letter_writer

CODEC = Codec()
NOW = round(time.time() * 1000)
OUTAGE = (6.0, 606.0)
ROWS = 3
# Of each partition, as many in the log as seconds have passed.
RECORDS = 612


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Kafka:
    """Two partitions that grow by a record a second, and what is committed."""

    time: Time
    committed: dict[int, tuple[int, int | None]] = field(default_factory=lambda: {0: (0, None), 1: (0, None)})

    def starts(self):
        return [StartingOffset(USAGE, number, at, last) for number, (at, last) in self.committed.items()]

    def since(self, number, position):
        return [record(number, at) for at in range(position, min(int(self.time.now), RECORDS))]

    def announce(self, ranges):
        self.committed |= {number: span for (_, number), span in ranges.items()}

    def finish(self, lasts):
        self.committed |= {number: (last + 1, None) for (_, number), last in lasts.items()}

    def send(self, records, timeout_seconds=30.0):
        raise AssertionError("every event here is sound")


@dataclass
class Away:
    """Stores nothing during the outage; the last rows before it are stored, but nobody hears of it."""

    database: Database
    time: Time
    refusals: int = 0
    has_stored: bool = False

    def insert(self, table, columns, token):
        begin, end = OUTAGE
        if begin <= self.time.now < end:
            self.refusals += 1
            if not self.has_stored:
                self.has_stored = True
                self.database.insert(table, columns, token)
            raise TransientError("connection refused")
        self.database.insert(table, columns, token)


def record(number, offset):
    events = [
        UsageEvent(event_id=event_id(number, offset, row), kind=UsageKind.BILLED, source_words=2, at=NOW)
        for row in range(ROWS)
    ]
    return InboundRecord(USAGE, number, offset, None, CODEC.encode(UsageBatch(events)))


def live(kafka, table):
    """One membership of the group, until it fails or everything is inserted."""
    retry = InsertRetry(60.0, clock=kafka.time, sleep=kafka.time.sleep)
    sink = UsageSink(kafka, Inserter(table, retry), kafka, dead_letter_writer("usage_sink", now_ms=NOW))
    positions = {start.partition: start.offset for start in kafka.starts()}
    sink.begin(kafka.starts())
    while min(offset for offset, _ in kafka.committed.values()) < RECORDS:
        kafka.time.now += 1
        for number, position in positions.items():
            taken = kafka.since(number, position)
            positions[number] = position + len(taken)
            sink.accept(taken)
        sink.write_due()


@pytest.fixture
def table(tmp_path):
    with closing(Database(f"chdb://{tmp_path}")) as database:
        database.create({})
        yield Away(database, Time())


@pytest.mark.slow
def test_after_ten_minutes_without_clickhouse_every_event_is_there_once(table):
    kafka, memberships = Kafka(table.time), 0
    while min(offset for offset, _ in kafka.committed.values()) < RECORDS:
        memberships += 1
        try:
            live(kafka, table)
        except TransientError:
            table.time.now += 5
    assert (memberships > 5, table.refusals > 50) == (True, True)
    totals = "count(), uniqExact(event_id), sum(source_words)"
    assert table.database.rows(f"SELECT {totals} FROM usage_events") == [(3672, 3672, 7344)]
    assert table.database.rows("SELECT sum(events), sum(source_words) FROM usage_hourly") == [(3672, 7344)]

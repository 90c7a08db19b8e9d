"""A sink whose ClickHouse is away: it waits with pauses, leaves its group in time, skips nothing."""

import time
import uuid

import pytest
from pydantic import ValidationError

from connectors.kafka.range_reader import StartingOffset
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import UsageBatch, UsageEvent
from schemas.records import InboundRecord
from schemas.states import UsageKind
from stream_apps.usage_sink.inserting import Inserter, InsertRetry
from stream_apps.usage_sink.settings import AnalyticsSettings
from stream_apps.usage_sink.sink import UsageSink
from tests.dead_letters import dead_letter_writer

NOW = round(time.time() * 1000)


class Time:
    """Passes by sleeping only."""

    def __init__(self):
        self.now, self.pauses = 0.0, []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


class Log:
    def __init__(self, count):
        event = Codec().encode(
            UsageBatch([UsageEvent(event_id=str(uuid.UUID(int=1)), kind=UsageKind.BILLED, at=NOW)])
        )
        self.left = [InboundRecord("u", 0, at, None, event) for at in range(count)]
        self.notes = []

    def take(self, limit, timeout_seconds):
        taken, self.left = self.left, []
        return taken

    def announce(self, ranges):
        self.notes += [("announced", *span) for span in ranges.values()]

    def finish(self, lasts):
        self.notes += [("finished", last) for last in lasts.values()]


class NoDeadLetters:
    def send(self, records, timeout_seconds=30.0):
        raise AssertionError("every event here is sound")


class Table:
    def __init__(self, failures):
        self.failures, self.tokens = failures, []

    def insert(self, table, columns, token):
        if self.failures:
            self.failures -= 1
            raise TransientError("ClickHouse is away")
        self.tokens.append(token)


def sink_of(failures, should_stop=lambda: False):
    time, log, table = Time(), Log(3), Table(failures)
    told: list[str] = []
    retry = InsertRetry(60.0, should_stop, told.append, lambda: time.now, time.sleep)
    letters = dead_letter_writer("usage_sink")
    sink = UsageSink(log, Inserter(table, retry), NoDeadLetters(), letters, batch_seconds=0.0)
    sink.begin([StartingOffset("u", 0, 0, None)])
    return sink, time, log, table, told


def turn(sink, log):
    sink.accept(log.take(50, 0.2))
    sink.write_due()


def test_an_insert_is_tried_again_with_growing_pauses_and_the_same_token():
    sink, time, log, table, told = sink_of(failures=8)
    turn(sink, log)
    assert table.tokens == ["u-0-0-2"]
    assert log.notes == [("announced", 0, 2), ("finished", 2)]
    assert len(time.pauses) == len(told) == 8
    assert all(0.1 * 2**n <= pause <= 0.2 * 2**n for n, pause in enumerate(time.pauses[:4]))
    assert max(time.pauses) <= 3


def test_a_sink_gives_its_membership_up_before_the_group_throws_it_out_and_the_range_stays_announced():
    sink, time, log, table, _ = sink_of(failures=1_000)
    with pytest.raises(TransientError):
        turn(sink, log)
    assert 40 < time.now <= 60
    assert log.notes == [("announced", 0, 2)]
    assert table.tokens == []


def test_a_signal_ends_the_wait():
    sink, time, log, _, _ = sink_of(failures=1_000, should_stop=lambda: True)
    with pytest.raises(TransientError):
        turn(sink, log)
    assert time.pauses == []
    assert log.notes == [("announced", 0, 2)]


def test_retries_that_outlast_the_membership_are_refused(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_INSERT_RETRY_SECONDS", "120")
    with pytest.raises(ValidationError, match="INSERT_RETRY_SECONDS must be below"):
        AnalyticsSettings()

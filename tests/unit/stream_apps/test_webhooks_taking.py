"""Results become deliveries before their offsets are committed, and again where the state was lost."""

import asyncio
from dataclasses import replace

import pytest

from connectors.kafka.commit_tracker import CommitTracker
from connectors.kafka.committing_reader import TakenRecord
from connectors.memory import InMemoryDeliveries
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.records import CALLBACK_HEADER, InboundRecord
from stream_apps.runtime.retrying_loop import Turn
from stream_apps.webhooks.recovery import DeliveryRecovery
from stream_apps.webhooks.settings import WebhookLimits
from stream_apps.webhooks.taking import Taker
from tests.webhooks import CALLBACK, NOW_MS, RESULT

LIMITS = WebhookLimits(poll_seconds=0.01)
DAY_MS = 24 * 3600 * 1000


class Source:
    """Records in memory, taken once."""

    def __init__(self, records):
        self.tracker, self.records, self.commits = CommitTracker(), records, 0

    def take(self, limit, timeout_seconds, limit_bytes):
        taken, self.records = self.records, []
        tracker = self.tracker
        return [TakenRecord(one, tracker.took(one.topic, one.partition, one.offset, 0.0)) for one in taken]

    def commit(self):
        self.commits += 1
        return True


def record(offset, value, **headers):
    return InboundRecord("translation.results", 0, offset, b"k", value, headers)


class TestTaker:
    """Results become deliveries before their offsets are committed."""

    def test_only_results_with_a_callback_are_told_and_all_are_finished(self):
        encoded, told = Codec().encode(RESULT), {CALLBACK_HEADER: b"1"}
        source, queue, woken = (
            Source(
                [
                    record(0, encoded),
                    record(1, encoded, **told),
                    record(2, b"rubbish", **told),
                    record(3, None, **told),
                ]
            ),
            InMemoryDeliveries(),
            [],
        )
        taker = Taker(source, queue, Codec(), LIMITS, lambda: NOW_MS, lambda: woken.append(1), clock=lambda: 10.0)
        assert taker.turn() is Turn.DONE
        assert taker.turn() is Turn.IDLE
        (found,) = asyncio.run(queue.of_job(RESULT.key))
        assert (found.url, found.due_at) == (CALLBACK, NOW_MS)
        assert source.tracker.due() == {("translation.results", 0): 4}
        assert (source.commits, woken) == (1, [1])

    @pytest.mark.parametrize("odd", [{"callback": "https://[x/"}, {"callback": "x"}, {"completed_at": 10**17}])
    def test_a_result_with_a_callback_that_is_none_keeps_no_other_back(self, odd):
        told, codec = {CALLBACK_HEADER: b"1"}, Codec()
        spoiled = replace(RESULT, request_id="odd", **odd)
        source = Source([record(0, codec.encode(spoiled), **told), record(1, codec.encode(RESULT), **told)])
        queue = InMemoryDeliveries()
        Taker(source, queue, codec, LIMITS, lambda: NOW_MS, lambda: None, clock=lambda: 10.0).turn()
        assert len(asyncio.run(queue.of_job(RESULT.key))) == 1
        assert asyncio.run(queue.of_job(spoiled.key)) == []
        assert source.tracker.due() == {("translation.results", 0): 2}

    def test_while_the_state_is_away_nothing_is_committed(self):
        class Away(InMemoryDeliveries):
            def enqueue(self, deliveries):
                raise TransientError("away")

        source = Source([record(0, Codec().encode(RESULT), **{CALLBACK_HEADER: b"1"})])
        taker = Taker(source, Away(), Codec(), LIMITS, lambda: NOW_MS, lambda: None, clock=lambda: 10.0)
        with pytest.raises(TransientError):
            taker.turn()
        assert source.tracker.due() == {}
        assert source.commits == 0


class Log:
    """Results in memory."""

    def __init__(self, *takes):
        self.takes, self.is_closed = list(takes), False

    @property
    def is_done(self):
        return not self.takes

    def take(self, limit, timeout_seconds):
        return self.takes.pop(0)

    def close(self):
        self.is_closed = True


class TestRecovery:
    """A lost state is filled from the results."""

    def recovery(self, queue, log, clock):
        told = {CALLBACK_HEADER: b"1"}
        taker = Taker(Source([]), queue, Codec(), LIMITS, lambda: NOW_MS, lambda: None)
        log.takes = [[record(0, Codec().encode(RESULT), **told)], []] if log.takes else []
        opened = []

        def open_log(since_ms):
            opened.append(since_ms)
            return log

        made = DeliveryRecovery(queue, taker.note, open_log, DAY_MS, lambda: NOW_MS, clock=clock)
        return made, opened

    def test_deliveries_of_the_last_day_are_noted_again_and_only_then_is_it_complete(self):
        queue, log, now = InMemoryDeliveries(), Log([]), [0.0]
        recovery, opened = self.recovery(queue, log, lambda: now[0])
        recovery.ensure()
        assert queue.is_complete()
        assert (opened, log.is_closed) == ([NOW_MS - DAY_MS], True)
        assert len(asyncio.run(queue.of_job(RESULT.key))) == 1
        now[0] = 100.0
        recovery.ensure()
        assert len(opened) == 1

    def test_a_failure_on_the_way_begins_anew(self):
        class Failing(Log):
            def take(self, limit, timeout_seconds):
                raise TransientError("Kafka is away")

        queue, now = InMemoryDeliveries(), [0.0]
        recovery, opened = self.recovery(queue, Failing([]), lambda: now[0])
        for _ in range(2):
            with pytest.raises(TransientError):
                recovery.ensure()
        assert len(opened) == 2
        assert not queue.is_complete()

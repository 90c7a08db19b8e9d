import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from faust.types import TP

from connectors.faust.bundles import Bundle, TakeLimits
from connectors.faust.taking import EventLine
from schemas.errors import FATAL_EXIT_CODE, FatalError
from schemas.records import InboundRecord


@dataclass
class Consumer:
    received_: list = field(default_factory=list)
    finished: list = field(default_factory=list)
    abandoned: bool = False

    def received(self, bundle):
        self.received_.append(bundle.offset)

    def finish(self, bundle):
        self.finished.append(bundle.offset)

    def abandon(self):
        self.abandoned = True


class Event(SimpleNamespace):
    def ack(self):
        self.acked = True


def event(*offsets, value=b"v"):
    records = [InboundRecord("t", 1, offset, None, value, {"h": b"1"}, 1234) for offset in offsets]
    return Event(message=Bundle(TP("t", 1), records, 4), acked=False)


@dataclass
class Line:
    """A line of events whose processor is told what to do, and what became of it."""

    answers: list
    limits: TakeLimits = field(default_factory=lambda: TakeLimits(256, 1000))
    may_cancel: bool = False
    takes: list = field(default_factory=list)
    codes: list = field(default_factory=list)
    consumer: Consumer = field(default_factory=Consumer)
    gate: asyncio.Event | None = None

    async def process(self, records):
        self.takes.append([record.offset for record in records])
        self.records = records
        if self.gate:
            await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def run(self, *waves):
        line = EventLine(
            self.process, lambda: self.consumer, self.limits, lambda: self.may_cancel, self.codes.append
        )
        task = asyncio.create_task(line.run())
        for events in waves:
            for one in events:
                line.add(one)
            for _ in range(5):
                await asyncio.sleep(0)
        if self.gate:
            self.gate.set()
        for _ in range(20):
            await asyncio.sleep(0)
        if task.done():
            task.result()
        self.may_cancel = True
        task.cancel()


def test_events_are_finished_and_acknowledged_in_order_after_the_processor_is_done():
    line, events = Line([]), [event(3), event(4)]
    asyncio.run(line.run(events))
    assert (line.takes, line.consumer.finished, line.consumer.abandoned, line.codes) == (
        [[3, 4]],
        [3, 4],
        False,
        [],
    )
    assert [one.acked for one in events] == [True, True]
    assert (line.records[0].headers, line.records[0].timestamp_ms) == ({"h": b"1"}, 1234)


def test_what_arrives_while_a_take_is_processed_is_the_next_take():
    async def work():
        line = Line([], gate=asyncio.Event())
        await line.run([event(1)], [event(2), event(3)], [event(4)])
        return line

    line = asyncio.run(work())
    assert line.takes == [[1], [2, 3, 4]]
    assert line.consumer.received_ == line.consumer.finished == [1, 2, 3, 4]


def test_a_take_has_no_more_records_or_bytes_than_its_limits_but_one_event_at_least():
    line = Line([], TakeLimits(records=2, value_bytes=10))
    large, half = event(4, value=b"x" * 99), event(6, value=b"y" * 10)
    asyncio.run(line.run([event(1), event(2), event(3), large, event(5), half]))
    assert line.takes == [[1, 2], [3], [4], [5], [6]]


def test_a_take_holds_whole_bundles_which_are_finished_as_one():
    line, events = Line([], TakeLimits(records=4, value_bytes=99)), [event(1, 2), event(3), event(4, 6), event(7)]
    asyncio.run(line.run(events))
    assert line.takes == [[1, 2, 3], [4, 6, 7]]
    assert line.consumer.received_ == line.consumer.finished == [2, 3, 6, 7]
    assert all(one.acked for one in events)


def test_interrupted_events_are_abandoned_and_acknowledged_with_all_behind_them_so_that_they_are_read_again():
    line, events = Line([False], TakeLimits(2, 1000)), [event(offset) for offset in range(5)]
    asyncio.run(line.run(events))
    assert (line.takes, line.consumer.finished, line.consumer.abandoned, line.codes) == ([[0, 1]], [], True, [])
    assert all(one.acked for one in events)


@pytest.mark.parametrize("error", [FatalError("misconfigured"), RuntimeError("a defect"), SystemExit(1)])
def test_an_escaped_error_ends_the_process_before_the_next_event(error):
    line = Line([error], TakeLimits(1, 1000))
    with pytest.raises(type(error)):
        asyncio.run(line.run([event(1), event(2)]))
    assert (line.consumer.finished, line.takes, line.codes) == ([], [[1]], [FATAL_EXIT_CODE])


def test_a_cancelled_line_ends_the_process_unless_it_is_stopping():
    line = Line([asyncio.CancelledError()])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(line.run([event(1)]))
    assert (line.consumer.finished, line.codes) == ([], [FATAL_EXIT_CODE])


def test_a_process_that_stops_may_cancel_its_line():
    line = Line([asyncio.CancelledError()], may_cancel=True)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(line.run([event(1)]))
    assert (line.consumer.finished, line.codes) == ([], [])

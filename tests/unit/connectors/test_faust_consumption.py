import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from connectors.faust.consumption import EXIT_CODE, process
from connectors.faust.guard import WaitInterruptedError
from schemas.errors import FatalError


@dataclass
class Consumer:
    finished: list = field(default_factory=list)
    abandoned: bool = False

    def finish(self, message):
        self.finished.append(message.offset)

    def abandon(self):
        self.abandoned = True


class Guard:
    def __init__(self, error=None):
        self.error = error
        self.records = []

    async def process(self, records):
        self.records = records
        if self.error:
            raise self.error


def event(offset):
    return SimpleNamespace(
        message=SimpleNamespace(
            topic="t", partition=1, offset=offset, key=None, value=b"v", headers=[("h", b"1")], timestamp=1.2345
        )
    )


def run(guard, may_cancel=False):
    consumer, codes = Consumer(), []
    coroutine = process([event(3), event(4)], guard, consumer, may_cancel=lambda: may_cancel, leave=codes.append)
    return consumer, codes, coroutine


def test_events_are_finished_in_order_after_the_guard_is_done():
    guard = Guard()
    consumer, codes, work = run(guard)
    asyncio.run(work)
    assert (consumer.finished, consumer.abandoned, codes) == ([3, 4], False, [])
    assert (guard.records[0].headers, guard.records[0].timestamp_ms) == ({"h": b"1"}, 1234)


def test_interrupted_events_are_abandoned_so_that_they_are_read_again():
    consumer, codes, work = run(Guard(WaitInterruptedError()))
    asyncio.run(work)
    assert (consumer.finished, consumer.abandoned, codes) == ([], True, [])


@pytest.mark.parametrize("error", [FatalError("misconfigured"), RuntimeError("a defect"), SystemExit(1)])
def test_an_escaped_error_ends_the_process_before_the_next_event(error):
    consumer, codes, work = run(Guard(error))
    with pytest.raises(type(error)):
        asyncio.run(work)
    assert (consumer.finished, codes) == ([], [EXIT_CODE])


def test_a_cancelled_agent_ends_the_process_unless_it_is_stopping():
    consumer, codes, work = run(Guard(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work)
    assert (consumer.finished, codes) == ([], [EXIT_CODE])


def test_a_cancelled_agent_finishes_nothing_while_stopping():
    consumer, codes, work = run(Guard(asyncio.CancelledError()), may_cancel=True)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work)
    assert (consumer.finished, codes) == ([], [])

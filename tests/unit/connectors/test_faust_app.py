import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from connectors.faust.app import process_events
from schemas.errors import FATAL_EXIT_CODE, FatalError


@dataclass
class Consumer:
    finished: list = field(default_factory=list)
    abandoned: bool = False

    def finish(self, message):
        self.finished.append(message.offset)

    def abandon(self):
        self.abandoned = True


class Processor:
    def __init__(self, error=None, are_stored=True):
        self.error = error
        self.are_stored = are_stored
        self.records = []

    async def process(self, records):
        self.records = records
        if self.error:
            raise self.error
        return self.are_stored


def event(offset):
    return SimpleNamespace(
        message=SimpleNamespace(
            topic="t", partition=1, offset=offset, key=None, value=b"v", headers=[("h", b"1")], timestamp=1.2345
        )
    )


def run(processor, may_cancel=False):
    consumer = Consumer()
    codes: list[int] = []
    coroutine = process_events(
        [event(3), event(4)], processor.process, consumer, may_cancel=lambda: may_cancel, exit_process=codes.append
    )
    return consumer, codes, coroutine


def test_events_are_finished_in_order_after_the_processor_is_done():
    processor = Processor()
    consumer, codes, work = run(processor)
    asyncio.run(work)
    assert (consumer.finished, consumer.abandoned, codes) == ([3, 4], False, [])
    assert (processor.records[0].headers, processor.records[0].timestamp_ms) == ({"h": b"1"}, 1234)


def test_interrupted_events_are_abandoned_so_that_they_are_read_again():
    consumer, codes, work = run(Processor(are_stored=False))
    asyncio.run(work)
    assert (consumer.finished, consumer.abandoned, codes) == ([], True, [])


@pytest.mark.parametrize("error", [FatalError("misconfigured"), RuntimeError("a defect"), SystemExit(1)])
def test_an_escaped_error_ends_the_process_before_the_next_event(error):
    consumer, codes, work = run(Processor(error))
    with pytest.raises(type(error)):
        asyncio.run(work)
    assert (consumer.finished, codes) == ([], [FATAL_EXIT_CODE])


def test_a_cancelled_agent_ends_the_process_unless_it_is_stopping():
    consumer, codes, work = run(Processor(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work)
    assert (consumer.finished, codes) == ([], [FATAL_EXIT_CODE])


def test_a_cancelled_agent_finishes_nothing_while_stopping():
    consumer, codes, work = run(Processor(asyncio.CancelledError()), may_cancel=True)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work)
    assert (consumer.finished, codes) == ([], [])

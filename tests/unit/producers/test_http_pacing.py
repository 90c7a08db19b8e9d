"""Readings of whole topics leave time to requests, and end with the process. Slow work has threads of its own."""

import asyncio
import threading
from itertools import count

import pytest

from producers.http.blocking.pacing import Pace
from producers.http.blocking.waiting_line import WaitingLine
from schemas.errors import TransientError


class Ending(threading.Event):
    """Notes how long somebody wanted to wait for it, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return self.is_set()


def test_after_each_few_milliseconds_of_computing_it_pauses_for_its_share():
    ending, ticks = Ending(), count(0, 0.002)
    passed = list(Pace(0.25, ending, lambda: next(ticks)).over(range(6)))
    assert passed == list(range(6))
    assert ending.waits == pytest.approx([3 * 0.006] * 1 + [3 * 0.006])


def test_what_computes_little_never_pauses():
    ending = Ending()
    assert len(list(Pace(0.25, ending, lambda: 0.0).over(range(1000)))) == 1000
    assert ending.waits == []


def test_the_end_of_the_process_ends_a_reading_before_its_next_record():
    pace = Pace()
    records = pace.over(range(3))
    assert next(records) == 0
    pace.ending.set()
    with pytest.raises(TransientError, match="ending"):
        next(records)


def test_slow_work_leaves_the_threads_of_the_requests_alone():
    """However many wait for slow work, the shared threads are free."""

    async def all_of():
        line, may_go_on = WaitingLine(1, 100, "full"), threading.Event()
        slow = [asyncio.create_task(line.run(may_go_on.wait, 5)) for _ in range(100)]
        await asyncio.sleep(0)
        names = await asyncio.wait_for(
            asyncio.gather(*[asyncio.to_thread(lambda: threading.current_thread().name) for _ in range(50)]), 5
        )
        may_go_on.set()
        assert await asyncio.gather(*slow) == [True] * 100
        return names, await line.run(lambda: threading.current_thread().name)

    names, own = asyncio.run(all_of())
    assert own.startswith("line")
    assert not any(name.startswith("line") for name in names)

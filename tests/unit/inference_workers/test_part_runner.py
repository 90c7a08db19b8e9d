"""Parts run in order; those of engines with device batches run beside their submitter."""

import threading
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from inference_workers.batching import Work
from inference_workers.part_runner import PartRunner
from inference_workers.workload import Line, OpenText, Part, PartResult
from schemas.errors import TransientError
from schemas.segments import TranslationContext

CONTEXT = TranslationContext("", "en", "pt")


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def part(*, is_one_by_one):
    return Part(Line(CONTEXT, deque()), (), "m", is_one_by_one)


def test_a_part_of_an_engine_that_goes_text_by_text_runs_at_once_in_this_thread():
    threads = []

    def run(_part):
        threads.append(threading.current_thread())
        return PartResult(1.0)

    runner: PartRunner[Any] = PartRunner(run, Clock())
    one = part(is_one_by_one=True)
    runner.submit(one, "owner")
    assert (threads, runner.is_full, runner.is_empty) == ([threading.current_thread()], True, False)
    done = runner.take()
    assert (done.part, done.owner, runner.is_empty) == (one, "owner", True)
    runner.close()


def test_what_the_engine_did_not_come_to_is_no_longer_in_the_part():
    first, second = OpenText(Work(CONTEXT), "a"), OpenText(Work(CONTEXT), "b")
    runner: PartRunner[Any] = PartRunner(lambda _part: PartResult(1.0, left=[second]), Clock())
    runner.submit(replace(part(is_one_by_one=True), texts=(first, second)), "owner")
    assert runner.take().part.texts == [first]
    runner.close()


def test_parts_of_other_engines_run_beside_this_thread_one_after_the_other_and_the_next_one_waits():
    began, may_end, inside = threading.Event(), threading.Event(), []

    def run(_part):
        inside.append(threading.current_thread().name)
        began.set()
        may_end.wait(5)
        return PartResult(1.0)

    runner: PartRunner[Any] = PartRunner(run, Clock())
    first, second = part(is_one_by_one=False), part(is_one_by_one=False)
    runner.submit(first, 1)
    assert (runner.is_full, runner.context) == (False, CONTEXT)
    runner.submit(second, 2)
    assert runner.is_full
    assert began.wait(5)
    assert len(inside) == 1
    may_end.set()
    assert [runner.take().owner for _ in range(2)] == [1, 2]
    assert len(set(inside)) == 1
    runner.close()


def test_time_in_which_a_part_waits_for_the_one_before_does_not_count():
    clock = Clock()

    def run(_part):
        clock.seconds += 2.0
        return PartResult(5.0)

    runner: PartRunner[Any] = PartRunner(run, clock)
    runner.submit(part(is_one_by_one=True), 1)
    assert runner.take().result.seconds == 2.0
    runner._flights.clear()
    runner._last_end = 3.0
    runner.submit(part(is_one_by_one=True), 2)
    # It began at 2, when the engine still had the part that ended at 3.
    assert runner.take().result.seconds == 1.0
    runner.close()


def test_what_the_engine_raises_comes_with_its_part_and_a_restart_forgets_it():
    def run(_part):
        raise TransientError("away")

    runner: PartRunner[Any] = PartRunner(run, Clock())
    runner.submit(part(is_one_by_one=False), 1)
    with pytest.raises(TransientError, match="away"):
        runner.take()
    runner.submit(part(is_one_by_one=False), 2)
    runner.restart()
    assert runner.is_empty
    runner.close()

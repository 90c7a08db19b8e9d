"""Detection in the HTTP process: one at a time, and none of the others waits for it."""

import asyncio
import threading

import pytest

from producers.http.blocking.detection import ThreadedDetector
from producers.http.errors import OverloadedError
from tests.http_world import ENGLISH


def test_one_call_detects_at_a_time_and_too_many_are_refused():
    running, most = threading.Semaphore(1), []

    def detect(texts, among):
        most.append(running.acquire(blocking=False))
        running.release()
        return [ENGLISH]

    async def all_of(calls):
        detector = ThreadedDetector(detect)
        return await asyncio.gather(
            *[detector.guess_each(["a"], ["en"]) for _ in range(calls)], return_exceptions=True
        )

    assert asyncio.run(all_of(20)) == [[ENGLISH]] * 20
    assert most == [True] * 20
    assert any(isinstance(one, OverloadedError) for one in asyncio.run(all_of(60)))


def test_an_error_of_the_detector_gives_its_turn_back():
    def detect(texts, among):
        raise ValueError("no model")

    async def twice():
        detector = ThreadedDetector(detect)
        for _ in range(2):
            with pytest.raises(ValueError, match="no model"):
                await detector.guess_each(["a"], [])

    asyncio.run(twice())

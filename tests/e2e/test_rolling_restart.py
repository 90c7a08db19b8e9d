"""Workers and assemblers restarted one after the other under load: one answer each, and what it costs in time.

`make bench-rolling` prints the figures.
"""

import threading
import time
from statistics import quantiles

import pytest

from deploy.local.main import read_run, restart
from tests.outside import Outside

pytestmark = pytest.mark.slow

CALM_SECONDS = 6.0
REQUESTS_PER_SECOND = 8
TEXT = "The small house number {} is green. It stands in a large garden. We like to live there."


class Load:
    """A request every eighth of a second, until it is stopped."""

    def __init__(self, outside: Outside) -> None:
        self.sent_at: dict[str, float] = {}
        self._outside = outside
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(1 / REQUESTS_PER_SECOND):
            now = time.monotonic()
            self.sent_at[self._outside.send_request("high", text=TEXT.format(time.time_ns()))] = now


def test_a_rolling_restart_loses_and_repeats_nothing(stack):
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    load = Load(outside)
    times = [time.monotonic()]
    try:
        time.sleep(CALM_SECONDS)
        times.append(time.monotonic())
        for kind in ("worker", "assembly"):
            _roll(stack, kind)
            times.append(time.monotonic())
        time.sleep(2.0)
    finally:
        load.stop()
    sent = load.sent_at
    results.until(lambda read: sent.keys() <= {one["request_id"] for one in read})
    results.more(2.0)
    counts = results.counts()
    assert {one: counts[one] for one in sent} == dict.fromkeys(sent, 1)
    seconds = {one["request_id"]: one["timings"]["total"] for one in results.read if one["request_id"] in sent}
    for phase, begin, end in zip(("before", "workers", "assemblies"), times, times[1:], strict=False):
        print(_figures(phase, [seconds[one] for one, at in sent.items() if begin <= at < end], end - begin))
    results.close()


def _roll(stack, kind: str) -> None:
    before = read_run(stack.root).processes
    for name in restart(stack.root, kind):
        stack.wait_for_restart(name, before[name])


def _figures(phase: str, seconds: list[float], lasted_seconds: float) -> str:
    cuts = quantiles(seconds, n=20)
    return (
        f"{phase:>10}: {len(seconds):4} requests in {lasted_seconds:5.1f} s, "
        f"p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s, max {max(seconds):.2f} s"
    )

"""Measure from outside how long a role takes to recover: from the signal until a probe succeeds."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import httpx

from tests.chaos.billing import is_billed
from tests.chaos.ledger import Ledger
from tests.chaos.stack import ChaosStack

_THREADS = 48
_POLL_SECONDS = {"analytics": 0.5}
_DEFAULT_POLL_SECONDS = 0.15
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class Recovery:
    """One fault: seconds from the start of the watch, and seconds until its role worked again."""

    kind: str
    at_seconds: float
    seconds: float


@dataclass(frozen=True)
class Recoveries:
    """The measured recoveries. `never`: kinds whose probe did not succeed before the run ended."""

    measured: list[Recovery] = field(default_factory=list)
    never: list[str] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[float]]:
        """Return the seconds, by kind of fault."""
        kinds = sorted({one.kind for one in self.measured})
        return {kind: [one.seconds for one in self.measured if one.kind == kind] for kind in kinds}

    def slower_than(self, seconds: float) -> list[Recovery]:
        """Return the recoveries above the limit, slowest first."""
        found = (one for one in self.measured if one.seconds > seconds)
        return sorted(found, key=lambda one: one.seconds, reverse=True)

    def slow_kinds(self, limit_seconds: float) -> list[str]:
        """Return the kinds whose 95th percentile is above the limit, or that never recovered."""
        slow = {kind for kind, found in self.by_kind().items() if percentile(found, 0.95) > limit_seconds}
        return sorted(slow | set(self.never))


class RecoveryWatch:
    """Polls for each fault on a thread of its own. `close` ends them."""

    def __init__(self, stack: ChaosStack, ledger: Ledger) -> None:
        self._stack = stack
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(_THREADS, "recovery")
        self._waiting: list[Future[None]] = []
        self._closing = threading.Event()
        # Shared: a new client for every poll took a third of a core.
        self._client = httpx.Client(timeout=_ANSWER_SECONDS)
        self._began = time.monotonic()
        self._recoveries = Recoveries()

    def watch(self, kind: str, role: str, probe: str, before: dict[str, int]) -> None:
        """Measure a fault that has just hit these processes, with the probe of that key. Returns at once."""
        works = self._probe(role, probe, before)
        pause_seconds = _POLL_SECONDS.get(role, _DEFAULT_POLL_SECONDS)
        self._waiting.append(self._pool.submit(self._wait, kind, pause_seconds, works))

    def close(self, longest_seconds: float) -> Recoveries:
        """Return what was measured once every probe has succeeded, or after `longest_seconds`."""
        try:
            wait(self._waiting, longest_seconds)
        finally:  # an interrupted wait must not be held up by the threads
            self._closing.set()
            self._pool.shutdown()
            self._client.close()
        return self._recoveries

    def _wait(self, kind: str, pause_seconds: float, works: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not self._closing.wait(pause_seconds):
            if _succeeds(works):
                found = Recovery(kind, began - self._began, time.monotonic() - began)
                self._recoveries.measured.append(found)
                return
        self._recoveries.never.append(kind)

    def _probe(self, role: str, probe: str, before: dict[str, int]) -> Callable[[], bool]:
        run = self._stack.run()
        match role:
            case "http":
                return lambda: probe in self._ledger.accepted_at
            case "analytics":
                return lambda: is_billed(self._client, run, probe)
            case "repair" | "autoscaler":
                return lambda: self._is_ready(role, before)
        return lambda: self._ledger.answered_at(probe) is not None

    def _is_ready(self, role: str, before: dict[str, int]) -> bool:
        now = self._stack.processes(role)
        urls = [self._stack.run().health_urls[name] for name in now]
        return bool(now) and now != before and all(self._client.get(f"{url}/ready").is_success for url in urls)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile: the smallest value that this share does not exceed. 0 if empty."""
    ordered = sorted(values)
    return round(ordered[max(math.ceil(share * len(ordered)), 1) - 1], 2) if ordered else 0.0


def _succeeds(works: Callable[[], bool]) -> bool:
    try:
        return works()
    except (httpx.HTTPError, ValueError, OSError):
        return False

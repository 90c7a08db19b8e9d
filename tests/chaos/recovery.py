"""How long until a role works again after a fault, measured from outside: from the signal to a probe's success."""

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

_PROBES = 48
_ASK_AGAIN_SECONDS = {"analytics": 0.5}
_USUALLY_SECONDS = 0.15
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class Recovery:
    """One fault, when it came after the watch began, and how long its role was away. Seconds."""

    kind: str
    at_seconds: float
    seconds: float


@dataclass(frozen=True)
class Recoveries:
    """What was measured. `never`: kinds whose probe had no success before the run ended."""

    measured: list[Recovery] = field(default_factory=list)
    never: list[str] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[float]]:
        """Seconds."""
        kinds = sorted({one.kind for one in self.measured})
        return {kind: [one.seconds for one in self.measured if one.kind == kind] for kind in kinds}

    def slower_than(self, seconds: float) -> list[Recovery]:
        """The slowest first."""
        found = (one for one in self.measured if one.seconds > seconds)
        return sorted(found, key=lambda one: one.seconds, reverse=True)

    def slow_kinds(self, limit_seconds: float) -> list[str]:
        """Kinds whose 95th percentile is above the limit, or that were never seen to work again."""
        slow = {kind for kind, found in self.by_kind().items() if percentile(found, 0.95) > limit_seconds}
        return sorted(slow | set(self.never))


class RecoveryWatch:
    """One waiting thread per fault; each asks now and then. `close` ends them."""

    def __init__(self, stack: ChaosStack, ledger: Ledger) -> None:
        self._stack = stack
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(_PROBES, "recovery")
        self._waiting: list[Future[None]] = []
        self._closing = threading.Event()
        # One for all: a client of its own for every question took a third of a core.
        self._client = httpx.Client(timeout=_ANSWER_SECONDS)
        self._began = time.monotonic()
        self._recoveries = Recoveries()

    def watch(self, kind: str, role: str, probe_id: str, before: dict[str, int]) -> None:
        """The fault has just hit these processes, and the probe request is being sent. Returns at once."""
        works = self._question(role, probe_id, before)
        pause_seconds = _ASK_AGAIN_SECONDS.get(role, _USUALLY_SECONDS)
        self._waiting.append(self._pool.submit(self._wait, kind, pause_seconds, works))

    def close(self, patience_seconds: float) -> Recoveries:
        """What was measured, as soon as every probe has succeeded or patience is over."""
        try:
            wait(self._waiting, patience_seconds)
        finally:  # whoever interrupts the wait must not be kept by the threads
            self._closing.set()
            self._pool.shutdown()
            self._client.close()
        return self._recoveries

    def _wait(self, kind: str, pause_seconds: float, works: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not self._closing.wait(pause_seconds):
            if _is_so(works):
                found = Recovery(kind, began - self._began, time.monotonic() - began)
                self._recoveries.measured.append(found)
                return
        self._recoveries.never.append(kind)

    def _question(self, role: str, probe_id: str, before: dict[str, int]) -> Callable[[], bool]:
        run = self._stack.run()
        match role:
            case "http":
                return lambda: probe_id in self._ledger.accepted_at
            case "status":
                return lambda: self._is_finished(run.http_url, probe_id)
            case "analytics":
                return lambda: is_billed(self._client, run.analytics_url, probe_id)
            case "repair" | "autoscaler":
                return lambda: self._is_ready(role, before)
        return lambda: self._ledger.answered_at(probe_id) is not None

    def _is_ready(self, role: str, before: dict[str, int]) -> bool:
        now = self._stack.processes(role)
        urls = [self._stack.run().health_urls[name] for name in now]
        return bool(now) and now != before and all(self._client.get(f"{url}/ready").is_success for url in urls)

    def _is_finished(self, http_url: str, job_id: str) -> bool:
        answer = self._client.get(f"{http_url}/api/v1/translations/{job_id}")
        return answer.is_success and answer.json()["stage"] == "FINISHED"


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that at least this share does not exceed; 0 of nothing."""
    ordered = sorted(values)
    return round(ordered[max(math.ceil(share * len(ordered)), 1) - 1], 2) if ordered else 0.0


def _is_so(works: Callable[[], bool]) -> bool:
    try:
        return works()
    except (httpx.HTTPError, ValueError, OSError):
        return False

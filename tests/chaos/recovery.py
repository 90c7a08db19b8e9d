"""How long until a role works again after a fault, measured from outside: from the signal to a probe's success."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import httpx

from tests.chaos.billing import is_billed
from tests.chaos.ledger import Ledger
from tests.chaos.stack import ChaosStack

_PROBES = 48
_ASK_AGAIN_SECONDS = {"analytics": 0.5}
_USUALLY_SECONDS = 0.15
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class Recoveries:
    """Seconds by kind of fault. `never`: kinds whose probe had no success before the run ended."""

    seconds: dict[str, list[float]]
    never: list[str]


class RecoveryWatch:
    """One waiting thread per fault; each asks now and then. `close` ends them."""

    def __init__(self, stack: ChaosStack, ledger: Ledger) -> None:
        self._stack = stack
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(_PROBES, "recovery")
        self._waiting: list[Future[None]] = []
        self._closing = threading.Event()
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._never: list[str] = []

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
        return Recoveries(dict(self._seconds), self._never)

    def _wait(self, kind: str, pause_seconds: float, works: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not self._closing.wait(pause_seconds):
            if _is_so(works):
                self._seconds[kind].append(time.monotonic() - began)
                return
        self._never.append(kind)

    def _question(self, role: str, probe_id: str, before: dict[str, int]) -> Callable[[], bool]:
        run = self._stack.run()
        match role:
            case "http":
                return lambda: probe_id in self._ledger.accepted_at
            case "status":
                return lambda: _is_finished(run.http_url, probe_id)
            case "analytics":
                return lambda: is_billed(run.analytics_url, probe_id)
            case "repair" | "autoscaler":
                return lambda: self._is_ready(role, before)
        return lambda: self._ledger.answered_at(probe_id) is not None

    def _is_ready(self, role: str, before: dict[str, int]) -> bool:
        now = self._stack.processes(role)
        urls = [self._stack.run().health_urls[name] for name in now]
        return bool(now) and now != before and all(_get(f"{url}/ready").is_success for url in urls)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2) if ordered else 0.0


def _is_finished(http_url: str, job_id: str) -> bool:
    answer = _get(f"{http_url}/api/v1/translations/{job_id}")
    return answer.is_success and answer.json()["stage"] == "FINISHED"


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=_ANSWER_SECONDS)


def _is_so(works: Callable[[], bool]) -> bool:
    try:
        return works()
    except (httpx.HTTPError, ValueError, OSError):
        return False

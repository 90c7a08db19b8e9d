"""Measure how long the platform is unavailable when one of its processes is killed: `make recovery`.

Each kind of process of the one-machine stack, including the stores and the broker, gets SIGKILL once. At the
same moment a probe is sent: requests over Kafka, enough to reach every partition, and one over HTTP. It prints
the seconds until all of the former are answered, until HTTP has accepted, and until ClickHouse has billed
the former. Exits with 1 where one of them takes longer than the target.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from deploy.local.main import down, up
from deploy.local.settings import StackSettings
from producers.cli.output import lines_of
from schemas.errors import DragomanError
from tests.outside import Outside, Tail
from tests.servers import LIBRARIES
from tests.stack import Stack

TARGET_SECONDS = 30.0
VICTIMS = (
    *("worker-1", "intake-1", "assembly-1", "http", "analytics"),
    *("redis-cache", "redis-state", "kafka"),
)
_REQUESTS = 24
_LONGEST_SECONDS = 120.0
_REST_SECONDS = 3.0


@dataclass(frozen=True)
class Recovery:
    """Seconds from the kill."""

    victim: str
    answered: float
    accepted: float
    billed: float

    @property
    def is_in_time(self) -> bool:
        """Return whether all three are within the target."""
        return max(self.answered, self.accepted, self.billed) <= TARGET_SECONDS


class Probe:
    """The requests sent after a kill, and how far they have come."""

    def __init__(self, stack: Stack, results: Tail) -> None:
        self._stack = stack
        self._results = results
        outside = Outside(stack.kafka_bootstrap)
        texts = [f"The garden {number} is green." for number in range(_REQUESTS)]
        self._ids = [outside.send_request("critical", text=text) for text in texts]

    def is_answered(self) -> bool:
        """Return whether every request over Kafka is answered."""
        self._results.more(0.05)
        return set(self._ids) <= self._results.counts().keys()

    def is_accepted(self) -> bool:
        """Return whether HTTP accepts a request."""
        body = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}
        with suppress(httpx.TransportError):
            answer = httpx.post(
                f"{self._stack.http_url}/api/v1/translations", json=body, headers=self._stack.headers, timeout=2.0
            )
            return answer.is_success
        return False

    def is_billed(self) -> bool:
        """Return whether ClickHouse has billed every request over Kafka."""
        names = ", ".join(f"'{request_id}'" for request_id in self._ids)
        sql = f"SELECT toUInt32(count()) AS n FROM usage_events WHERE kind = 'billed' AND request_id IN ({names})"
        with suppress(DragomanError):
            return bool(self._stack.analytics().rows(sql)[0]["n"] == _REQUESTS)
        return False


def main() -> None:
    """Run on a stack of its own in a temporary folder. Arguments: the processes to kill, all by default."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with TemporaryDirectory(prefix="dragoman-recovery-") as folder:
        root = Path(folder)
        try:
            settings = StackSettings(root=root, kafka_libraries=LIBRARIES)
            up(settings, detach=True, on_progress=lambda name, state: None)
            found = [recovery_of(Stack(root), victim) for victim in sys.argv[1:] or VICTIMS]
        finally:
            down(root)
    sys.exit(0 if all(one.is_in_time for one in found) else 1)


def recovery_of(stack: Stack, victim: str) -> Recovery:
    """Kill it, measure, and wait until it has been restarted."""
    results = Outside(stack.kafka_bootstrap).tail("translation.results")
    pid = stack.pid(victim)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    probe = Probe(stack, results)
    waiting: dict[str, Callable[[], bool]] = {
        "answered": probe.is_answered,
        "accepted": probe.is_accepted,
        "billed": probe.is_billed,
    }
    done: dict[str, float] = {}
    while waiting and time.monotonic() - began < _LONGEST_SECONDS:
        for name in [name for name, is_done in waiting.items() if is_done()]:
            done[name] = round(time.monotonic() - began, 1)
            del waiting[name]
    results.close()
    stack.wait_for_restart(victim, pid)
    time.sleep(_REST_SECONDS)
    found = Recovery(victim, **{**dict.fromkeys(waiting, float("inf")), **done})
    print(lines_of((), [(victim, *(f"{name} {seconds:g} s" for name, seconds in done.items()))]), flush=True)
    return found


if __name__ == "__main__":
    main()

"""Measure what the whole platform costs at rest: `make bench-idle`.

A stack of its own is started, warmed with a few requests and left alone. Then the processor time that the kernel
has counted for each of its processes is read twice. At last it answers single requests, one after a pause, so that
rest is not bought with waiting. Exits with 1 above the goal.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from producers.cli.output import lines_of
from schemas.priorities import Priority
from tests.bench.figures import commit
from tests.outside import Outside, Tail
from tests.servers import CHECKOUT, LIBRARIES

REPORT = CHECKOUT / ".dragoman" / "idle.json"
GOAL_MS = 60.0
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_WARMING_REQUESTS = 24
_PAUSE_SECONDS = 0.5
_LONGEST_SECONDS = 60.0
# Of /proc/PID/stat, counted behind the name of the program: user and system time of the process.
_UTIME, _STIME = 11, 12


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the acknowledgement of a critical request to its result, both by Kafka."""

    requests: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Rest:
    """Milliseconds of processor per second, by process."""

    seconds: float
    processes: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Return the sum over all processes."""
        return round(sum(self.processes.values()), 1)


def main() -> int:
    """Return 0 when the stack at rest costs at most the goal."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_stack() as root:
        outside = Outside(read_run(root).kafka_bootstrap)
        results = outside.tail("translation.results")
        latency_of(outside, results, _WARMING_REQUESTS)
        results.close()
        time.sleep(options.settle)
        rest = rest_of(processes_of(root), options.seconds)
        results = outside.tail("translation.results")
        latency = latency_of(outside, results, options.requests)
        results.close()
    passed = rest.total <= options.goal
    report = {"goal_ms_per_second": options.goal, "total_ms_per_second": rest.total, "passed": passed}
    report |= {"commit": commit(), "rest": asdict(rest), "latency": asdict(latency)}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    print(table_of(rest, options.goal))
    print(f"{latency.requests} single requests: p50 {latency.p50_ms:g} ms, p95 {latency.p95_ms:g} ms")
    return 0 if passed else 1


@contextmanager
def running_stack() -> Iterator[Path]:
    """Run a fresh stack, as `dragoman up` starts it; yield its root."""
    with TemporaryDirectory(prefix="dragoman-idle-") as folder:
        root = Path(folder)
        settings = StackSettings(root=root, kafka_libraries=LIBRARIES)
        try:
            up(settings, detach=True, on_progress=lambda name, state: None)
            yield root
        finally:
            down(root)


def processes_of(root: Path) -> dict[str, int]:
    """Return the process ids of the stack, its supervisor among them."""
    run = read_run(root)
    return {**run.processes, "supervisor": run.supervisor_pid}


def rest_of(processes: Mapping[str, int], seconds: float) -> Rest:
    """Measure for that time."""
    before, began = {name: processor_ms(pid) for name, pid in processes.items()}, time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    spent = {name: processor_ms(pid) - before[name] for name, pid in processes.items()}
    return Rest(round(took, 1), {name: round(ms / took, 2) for name, ms in sorted(spent.items())})


def processor_ms(pid: int) -> float:
    """Return the processor time of a process since its start, all threads, in steps of the kernel's clock tick.

    Raises FileNotFoundError when it has ended: then the stack was not at rest.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) * _TICK_MS


def latency_of(outside: Outside, results: Tail, requests: int) -> Latency:
    """Send requests one by one, each a pause after the answer of the last one, and measure the answers."""
    taken = [_one(outside, results, f"The garden {number} of the town is green.") for number in range(requests)]
    # quantiles() wants two values.
    cuts = quantiles(taken, n=20, method="inclusive") if requests > 1 else [0.0] * 19
    return Latency(requests, round(cuts[9], 1), round(cuts[18], 1))


def _one(outside: Outside, results: Tail, text: str) -> float:
    """Send one critical request and wait for its result; return the milliseconds between the two."""
    time.sleep(_PAUSE_SECONDS)
    request_id = outside.send_request(Priority.CRITICAL.value, text=text)
    began, end = time.monotonic(), time.monotonic() + _LONGEST_SECONDS
    while results.counts()[request_id] == 0:
        if time.monotonic() > end:
            raise TimeoutError(f"{request_id} was not answered in {_LONGEST_SECONDS:g} s")
        results.next(0.2)
    return (time.monotonic() - began) * 1000


def table_of(rest: Rest, goal: float) -> str:
    """Return a table with a row per process, the dearest first."""
    dearest = sorted(rest.processes.items(), key=lambda item: -item[1])
    rows = [(name, f"{ms:.1f}") for name, ms in dearest]
    return lines_of(("at rest", "ms/s"), [*rows, ("all", f"{rest.total:.1f}"), ("goal", f"{goal:g}")])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is measured at rest")
    parser.add_argument("--settle", type=float, default=30.0, help="pause between the warming and the measurement")
    parser.add_argument("--requests", type=int, default=40, help="single requests answered afterwards")
    parser.add_argument("--goal", type=float, default=GOAL_MS, help="ms of processor per second")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""What every benchmark shares: its options, the real stack, its processor time, the file and the exit code.

Processes of the stack are stopped by SIGSTOP while a rival is measured that needs some of them; that must be
shorter than the sessions of the consumer groups.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.local.background import start_in_background
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from deploy.local.stack import python_command, python_environment
from deploy.local.state_files import RunInfo
from tests.accounts import local_key
from tests.bench.figures import FOLDER, Findings
from tests.freezing import frozen
from tests.servers import LIBRARIES

ROOT = FOLDER / "stack"
INSTANT = "tests.bench.instant"
# Kafka cannot be stopped: its session with itself is 3 s.
ALWAYS_RUNNING = ("kafka",)

# In the place of a process: what the cores did not do. Where it is much, something waits that need not.
IDLE = "idle"

# As the stack's workers: whatever else runs on the machine takes as much from both sides.
NICENESS = 10

_REGISTRY = "DRAGOMAN_KAFKA_SCHEMA_REGISTRY_URL"
# The first commits and readings of the backlog after a start, heartbeats after a stop.
_SETTLE_SECONDS = 3.0
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Options:
    """The length of the platform's leg, and of each kind how many processes it has; a registry, or none."""

    seconds: float
    processes: int
    registry: str = ""


@dataclass(frozen=True)
class Size:
    """How many processes of each kind."""

    workers: int = 1
    intakes: int = 1
    assemblies: int = 1


@dataclass(frozen=True)
class Platform:
    """A running stack, and the registry that it uses."""

    run: RunInfo
    registry_url: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that shows the operator's key."""
        return local_key(ROOT)

    def cpu_ms(self) -> dict[str, float]:
        """Return the processor time of every process since its start, and what nobody used, in milliseconds."""
        return {**{name: processor_ms(pid) for name, pid in self.pids().items()}, IDLE: idle_ms()}

    @contextmanager
    def alone(self, *names: str) -> Iterator[None]:
        """Let only Kafka and these processes of the stack run inside the context."""
        pids = [pid for name, pid in self.pids().items() if name not in (*ALWAYS_RUNNING, *names)]
        try:
            with frozen(pids):
                yield
        finally:
            time.sleep(_SETTLE_SECONDS)

    def pids(self) -> dict[str, int]:
        """Return the id of every process."""
        run = read_run(ROOT)
        return {**run.processes, "supervisor": run.supervisor_pid}


def main(name: str, measure: Callable[[Options], Findings], defaults: Options, purpose: str | None) -> int:
    """Run one benchmark from the command line; return 0 when every figure reaches its goal, else 1."""
    options = _options(defaults, purpose or "")
    # As Ctrl-C: a benchmark that is ended stops its stack.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started, load_before = time.monotonic(), os.getloadavg()[0]
    findings = measure(options)
    path = findings.write(name, asdict(options), load_before)
    print(findings.lines())
    print(f"\n{time.monotonic() - started:.0f} s; written to {path}")
    for figure in findings.missed:
        print(f"MISSED: {figure.name}: {figure.text}, goal {figure.goal}", file=sys.stderr)
    return 1 if findings.missed else 0


@contextmanager
def running(size: Size, *, registry_url: str = "", is_instant: bool = False) -> Iterator[Platform]:
    """Run a fresh stack; with `is_instant` its engine takes no time."""
    settings = StackSettings(root=ROOT, kafka_libraries=LIBRARIES, fresh=True, **asdict(size))
    say(f"starting {size.workers} workers, {size.intakes} intakes, {size.assemblies} assemblies")
    with _environment(_REGISTRY, registry_url):
        try:
            if is_instant:
                start_in_background(settings, _silent, python_command(INSTANT))
            else:
                up(settings, detach=True, on_progress=_silent)
            time.sleep(_SETTLE_SECONDS)
            yield Platform(read_run(ROOT), registry_url)
        finally:
            down(ROOT)


@contextmanager
def process(*command: str, **environment: str) -> Iterator[int]:
    """Run a rival of this checkout as a process, as nice as the stack's workers; yield its id."""
    variables = {**os.environ, **python_environment(), **environment}
    nice = ("nice", "-n", str(NICENESS), *command)
    with subprocess.Popen(nice, env=variables, stdout=subprocess.DEVNULL) as started:
        try:
            yield started.pid
        finally:
            started.terminate()


def processor_ms(pid: int, *, with_children: bool = False) -> float:
    """Return user and system time of a process, and of its living children if asked, in ms; 0 when it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if with_children else ()
        own = (int(fields[11]) + int(fields[12])) * _TICK_MS
        return own + sum(processor_ms(int(child), with_children=True) for child in children)
    return 0.0


def idle_ms() -> float:
    """Return the milliseconds that the machine's cores had nothing to do since its start, all together."""
    # Of the first line: the word cpu, user, nice, system, idle, waiting for disks.
    idle, waiting = Path("/proc/stat").read_text().split(maxsplit=6)[4:6]
    return (int(idle) + int(waiting)) * _TICK_MS


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the milliseconds between two readings by kind of process; worker-1 and worker-2 are added up."""
    found: dict[str, float] = {}
    for name, ms in after.items():
        kind, _, number = name.rpartition("-")
        kind = kind if number.isdigit() else name
        found[kind] = round(found.get(kind, 0.0) + ms - before.get(name, 0.0), 1)
    return found


def say(line: str) -> None:
    """Tell on standard error what is going on."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _options(defaults: Options, purpose: str) -> Options:
    parser = argparse.ArgumentParser(description=purpose.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="of the platform's leg")
    parser.add_argument("--processes", type=int, default=defaults.processes, help="of each kind")
    parser.add_argument("--registry", default="", metavar="URL", help="measure once more with this registry")
    return replace(defaults, **vars(parser.parse_args()))


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.pop(name, None)
    if value:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def _silent(_name: str, _state: str) -> None:
    """Show nothing."""

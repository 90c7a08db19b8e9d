"""Measure whether the memory of any process grows with the backlog: `make bench-memory`.

A fresh local stack with one worker that is stopped most of the time gets requests of many short segments as fast
as Kafka takes them. The resident memory of every process is read while intake fills the batch topics. Exit code 1
when one of ours grows by more than allowed between 10 % and 100 % of the segments queued.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from producers.cli.output import lines_of
from schemas.ids import event_id
from schemas.priorities import Priority
from schemas.topics import batches_topic, inference_group, requests_topic
from tests.accounts import local_key
from tests.outside import Outside, encoded, key_of, request_of
from tests.servers import CHECKOUT, LIBRARIES

ROOT = CHECKOUT / ".dragoman" / "bench-memory"
REPORT = CHECKOUT / ".dragoman" / "memory.json"
SEGMENTS_PER_REQUEST, SEGMENTS_PER_BATCH = 250, 32
SHARES = (0.1, 0.5, 1.0)
RUNS_SECONDS, STANDS_SECONDS = 0.3, 3.7
REST_SECONDS, DRAIN_SECONDS, LONGEST_SECONDS = 20.0, 30.0, 900.0
SERVERS = ("kafka", "redis-cache", "redis-state")


@dataclass(frozen=True)
class Moment:
    """Resident memory in MB by process, and how many batches were queued and waiting."""

    name: str
    seconds: float
    batches: int
    waiting: int
    megabytes: dict[str, float]


@dataclass
class Watch:
    """Measures the stack from outside."""

    admin: KafkaAdmin
    started: float = field(default_factory=time.monotonic)
    moments: list[Moment] = field(default_factory=list)

    def queue(self) -> tuple[int, int]:
        """Return how many batches were queued in all, and how many no worker has taken."""
        topics = [(inference_group("default", one), batches_topic("default", one)) for one in Priority]
        lags = [lag for group, topic in topics for lag in self.admin.lag(group, [topic])]
        return sum(lag.end for lag in lags), sum(lag.records for lag in lags)

    def note(self, name: str) -> None:
        """Record the memory of every process."""
        batches, waiting = self.queue()
        megabytes = {process: resident_mb(pid) for process, pid in read_run(ROOT).processes.items()}
        self.moments.append(
            Moment(
                name, round(time.monotonic() - self.started, 1), batches, waiting, dict(sorted(megabytes.items()))
            )
        )
        print(f"{name}: {batches} batches queued, {waiting} wait", file=sys.stderr)

    def wait_for(self, batches: int) -> None:
        """Wait until intake has queued that many batches."""
        end = time.monotonic() + LONGEST_SECONDS
        while self.queue()[0] < batches:
            if time.monotonic() > end:
                raise TimeoutError(f"{batches} batches were not queued in {LONGEST_SECONDS:g} s")
            time.sleep(0.5)


class SlowWorker:
    """Lets the worker run for a moment every few seconds; at full speed once closed."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the worker run from now on."""
        self._released.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(ProcessLookupError):
            while not self._released.is_set():
                os.kill(self._pid, signal.SIGSTOP)
                self._released.wait(STANDS_SECONDS)
                os.kill(self._pid, signal.SIGCONT)
                self._released.wait(RUNS_SECONDS)


def resident_mb(pid: int) -> float:
    """Return VmRSS of the process in MB; 0 when it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def requests(count: int) -> Iterator[tuple[str, str, bytes]]:
    """Make the topic, key and value of each request; all texts differ."""
    priorities = list(Priority)
    for number in range(count):
        first = number * SEGMENTS_PER_REQUEST
        lines = [f"Parcel {at} has arrived today." for at in range(first, first + SEGMENTS_PER_REQUEST)]
        datum = request_of(request_id=event_id("bench-memory", number), text="\n".join(lines))
        topic = requests_topic(priorities[number % len(priorities)])
        yield topic, key_of(datum), encoded("TranslationRequest", datum)


def send(outside: Outside, count: int) -> float:
    """Send them all; return the seconds until they were acknowledged."""
    prepared = list(requests(count))
    started = time.monotonic()
    for topic, key, value in prepared:
        outside.producer.produce(topic, key=key, value=value)
        outside.producer.poll(0)
    if left := outside.producer.flush(60):
        raise TimeoutError(f"{left} requests were not acknowledged")
    return round(time.monotonic() - started, 2)


@contextmanager
def running_stack() -> Iterator[None]:
    """Run a fresh stack with one worker."""
    settings = StackSettings(root=ROOT, kafka_libraries=LIBRARIES, workers=1, fresh=True)
    try:
        up(settings, detach=True, on_progress=lambda name, state: None)
        yield
    finally:
        down(ROOT)


def measure(segments: int) -> tuple[Watch, dict[str, object]]:
    """Run the benchmark; return the measurements and further facts for the report."""
    count = segments // SEGMENTS_PER_REQUEST
    batches = count * -(-SEGMENTS_PER_REQUEST // SEGMENTS_PER_BATCH)
    with running_stack():
        run = read_run(ROOT)
        watch = Watch(KafkaAdmin(KafkaSettings(bootstrap=run.kafka_bootstrap)))
        with closing(SlowWorker(run.processes["worker-1"])):
            watch.note("0 %")
            sent_seconds = send(Outside(run.kafka_bootstrap), count)
            for share in SHARES:
                watch.wait_for(round(batches * share))
                watch.note(f"{share:.0%}".replace("%", " %"))
            time.sleep(REST_SECONDS)
            watch.note("later")
            answered = {one.value: probe(run.http_url, local_key(ROOT), one) for one in Priority}
        time.sleep(DRAIN_SECONDS)
        watch.note("draining")
    return watch, {"requests": count, "sent_seconds": sent_seconds, "http_at_full_backlog": answered}


def probe(http_url: str, headers: dict[str, str], priority: str) -> dict[str, object]:
    """Send one more request; return its status and Retry-After."""
    body = {"text": "Hello.", "source_language": "en", "target_language": "pt", "priority": priority}
    answer = httpx.post(f"{http_url}/api/v1/translations", json=body, headers=headers, timeout=30)
    return {"status": answer.status_code, "retry_after": answer.headers.get("retry-after")}


def growth_of(moments: Sequence[Moment]) -> dict[str, float]:
    """Return the growth in MB from 10 % to 100 %, of our own processes."""
    named = {moment.name: moment.megabytes for moment in moments}
    before, after = named["10 %"], named["100 %"]
    return {name: round(after[name] - before[name], 1) for name in before if is_ours(name)}


def is_ours(name: str) -> bool:
    """Return whether the process runs our code."""
    return name not in SERVERS


def table_of(moments: Sequence[Moment], growth: dict[str, float]) -> str:
    """Return a table with a row per process, ours first."""
    names = sorted(moments[0].megabytes, key=lambda name: (not is_ours(name), name))
    rows = [
        (
            name,
            *(f"{moment.megabytes.get(name, 0):.0f}" for moment in moments),
            f"{growth[name]:+.0f}" if name in growth else "not ours",
        )
        for name in names
    ]
    return lines_of(("MB resident", *(moment.name for moment in moments), "10 % to 100 %"), rows)


def main() -> int:
    """Return 0 when nothing grew too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--most-growth-mb", type=float, default=50.0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    watch, facts = measure(options.segments)
    growth = growth_of(watch.moments)
    too_much = {name: grown for name, grown in growth.items() if grown > options.most_growth_mb}
    report = {
        "segments": options.segments,
        **facts,
        "moments": [vars(moment) for moment in watch.moments],
        "growth_mb": growth,
        "most_growth_mb": options.most_growth_mb,
        "passed": not too_much,
    }
    REPORT.write_text(json.dumps(report, indent=2))
    print(table_of(watch.moments, growth))
    print(f"at the full backlog HTTP says {json.dumps(facts['http_at_full_backlog'])}")
    print(
        f"grew too much: {too_much}" if too_much else f"no process of ours grew by {options.most_growth_mb:g} MB"
    )
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())

"""What spans cost in processor time: `make bench-tracing`; `ARGS=--stack` measures a whole stack off, on and off.

The first half takes no server: what a stage does for one record, with tracing off, with a trace that is not
recorded, and with one that is, its encoding and its sending to a collector on loopback included. The second starts
a fresh stack for each leg and asks for remembered sentences: of all requests they cost the least, so the share of
the spans is the largest.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.tracing.otel import OtelTracer
from connectors.tracing.settings import TracingSettings
from connectors.tracing.spans import NO_TRACER, Tracer
from producers.cli.output import lines_of
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.records import InboundRecord
from schemas.traces import TraceParent
from stream_apps.runtime.stage_spans import StageSpans, facts_of
from tests.bench import cached
from tests.bench.figures import Figure, Findings, Leg
from tests.bench.harness import Options, say

GOAL = 0.03
RATIO = TracingSettings.model_fields["sample_ratio"].default
# Of a remembered request by Kafka, and of a new sentence by HTTP: spans, and microseconds of all processes
# (docs/performance.md, the legs of cached and singles).
_REQUESTS = {"remembered, by Kafka": (2, 2_026), "a new sentence, by HTTP": (6, 65_990)}
_RECORDS, _ROUNDS = 4_000, 3
_ABOVE = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)
_KEY = JobKey("acme", "5f0c8a9e-3f5a-4c39-9a6d-5d1f2f0d9c11")
_JOB = Job(priority="high", source_language="en", target_language="pt", words=15, segments=1, batches=1)
# Takes what is posted and keeps nothing, in a process of its own.
_COLLECTOR = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass(frozen=True)
class Mode:
    """A way in which tracing may stand, and the microseconds that a stage spends on a record then."""

    name: str
    stage_us: float


def main() -> int:
    """Print the costs; return 0 when what is on by default costs less than the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stack", action="store_true", help="measure a whole stack, too; 4 minutes")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each leg of the stack")
    options = parser.parse_args()
    with collector() as url:
        modes = stage_costs(url)
        print(lines_of(("tracing", "us a span"), [(one.name, f"{one.stage_us:.1f}") for one in modes]))
        figures = shares(modes[-1].stage_us, modes[-2].stage_us)
        legs = stack_legs(url, options.seconds) if options.stack else []
    findings = Findings([*figures, *stack_figures(legs)], legs)
    print(findings.lines())
    return 1 if findings.missed else 0


def stage_costs(url: str) -> list[Mode]:
    """Measure a record in a stage: begin, facts, end."""
    settings = TracingSettings(endpoint=url, sample_ratio=1.0, send_seconds=0.1, queue_spans=100_000)
    tracer = OtelTracer(settings, "bench", "bench-1")
    recorded, silent = _ABOVE.encode(), _ABOVE._replace(flags=0).encode()
    return [
        Mode("off, without a traceparent", _cost(NO_TRACER, b"")),
        Mode("off, with one", _cost(NO_TRACER, recorded)),
        Mode("on, trace not recorded", _cost(tracer, silent)),
        # Last, because its end sends what is left.
        Mode("on, recorded and sent", _cost(tracer, recorded, tracer.close)),
    ]


def _cost(tracer: Tracer, traceparent: bytes, finish: Callable[[], object] = lambda: None) -> float:
    """Return the microseconds of processor time, of all threads, for one record; the best round counts."""
    spans = StageSpans("stage", tracer)
    headers = {"tenant": b"acme", **({"traceparent": traceparent} if traceparent else {})}
    rounds = []
    for number in range(_ROUNDS):
        records = [InboundRecord("t", 0, at, b"k", b"v", dict(headers)) for at in range(_RECORDS)]
        before = time.process_time()
        for record in records:
            spans.begin(record)
            if span := spans.of(record):
                span.say(facts_of(_KEY, _JOB))
            spans.end(one.coordinates for one in (record,))
        if number == _ROUNDS - 1:
            finish()
        else:
            _settle()
        rounds.append((time.process_time() - before) / _RECORDS * 1e6)
    return min(rounds)


def _settle() -> None:
    """Let the sending thread come to its end."""
    last = time.process_time()
    while True:
        time.sleep(0.3)
        now = time.process_time()
        if now - last < 0.002:
            return
        last = now


def shares(recorded_us: float, silent_us: float) -> list[Figure]:
    """Return what the spans of one request cost beside all else it costs, by default and all recorded."""
    figures: list[Figure] = []
    for name, (spans, request_us) in _REQUESTS.items():
        default_us = spans * (RATIO * recorded_us + (1 - RATIO) * silent_us)
        figures += [
            Figure(
                f"{name}, ratio {RATIO:g}: share of its processor time", default_us / request_us, "", at_most=GOAL
            ),
            Figure(f"{name}, all recorded: share of its processor time", spans * recorded_us / request_us, ""),
        ]
    return figures


def stack_legs(url: str, seconds: float) -> list[Leg]:
    """Measure remembered sentences on a fresh stack each: off, by default, all recorded, off."""
    legs = []
    for name, told in {
        "off": {},
        f"ratio {RATIO:g}": _told(url, RATIO),
        "all recorded": _told(url, 1.0),
        "off again": {},
    }.items():
        say(f"tracing {name}")
        with _environment(told), cached.started(Options(seconds, 1)) as platform:
            leg = cached.platform_leg(platform, seconds)
        legs.append(Leg(name, leg.answers, leg.seconds, leg.per_second, leg.p50_ms, leg.p95_ms, leg.cpu_ms))
    return legs


def stack_figures(legs: list[Leg]) -> list[Figure]:
    """Compare the processor time of an answer with the mean of both legs without tracing."""
    if not legs:
        return []
    first, default, recorded, last = (sum(leg.cpu_us_per_answer.values()) for leg in legs)
    off = (first + last) / 2
    return [
        Figure("stack, off: processor time of an answer", off, "us"),
        Figure("stack, second leg off / first", last / first, ""),
        Figure(f"stack, ratio {RATIO:g} / off", default / off, "", at_most=1 + GOAL),
        Figure("stack, all recorded / off", recorded / off, ""),
    ]


def _told(url: str, ratio: float) -> dict[str, str]:
    return {"DRAGOMAN_TRACING_ENDPOINT": url, "DRAGOMAN_TRACING_SAMPLE_RATIO": str(ratio)}


@contextmanager
def collector() -> Iterator[str]:
    """Run a collector that keeps nothing; yield its address."""
    with subprocess.Popen([sys.executable, "-c", _COLLECTOR], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}/v1/traces"
        finally:
            process.terminate()


@contextmanager
def _environment(told: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())

"""Hold ten thousand connections to one HTTP process: `make bench-connections`.

A thousand event streams and more than nine thousand waiting GETs, each for one of a thousand jobs that are worked
off meanwhile, and a critical call every half second beside them. The GETs ask for the jobs that come last, and are
some more than are needed. Every stream must end with its job's result, and no answer may be another than 200,
202 or 429. Exits with 1 where one is.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import uvloop

from deploy.local.main import read_run
from tests.bench import raw_http
from tests.bench.figures import Figure, Findings, Leg, nearest_rank
from tests.bench.harness import ROOT, Options, Platform, Size, main, processor_ms, running, say, used
from tests.bench.http_load import translate_by_platform
from tests.bench.texts import document, sentences

DEFAULTS = Options(seconds=60, processes=2)
STREAMS, WAITERS, GOAL_CONNECTIONS = 1_000, 10_000, 10_000
# So many that no job which somebody waits for is done before all connections are open.
_SENTENCES = 6
_PROBE_SECONDS = 0.5
# Requests that are sent at once, each a moment after the one before: the queue of a listening socket is short.
_OPENING, _SENT_SECONDS, _POSTS = 20, 0.1, 50
_OK = 200
_WAIT_SECONDS = 60
_LONGEST_SECONDS = 900.0
_URL = "/api/v1/translations"

Read = Callable[[raw_http.Answer], Awaitable[object]]


@dataclass
class Held:
    """What became of the connections. `open` is how many are at present, `most` how many were at once."""

    statuses: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    finished: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    open: int = 0
    most: int = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a connection as open while the body runs."""
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            yield
        finally:
            self.open -= 1


def measure(options: Options) -> Findings:
    """Open them all, probe beside them, and read every stream to its end."""
    with running(Size(workers=options.processes)) as platform:
        before, began, own = platform.cpu_ms(), time.perf_counter(), processor_ms(os.getpid())
        held, waits = uvloop.run(_hold(platform))
        cpu_ms = used(before, platform.cpu_ms()) | {"clients": processor_ms(os.getpid()) - own}
        leg = Leg.of("calls beside them", waits, time.perf_counter() - began, cpu_ms)
        memory = _memory_mb(read_run(ROOT).processes["http"])
    others = {status: count for status, count in held.statuses.items() if status not in (200, 429)}
    figures = [
        Figure("connections at once", held.most, "", at_least=GOAL_CONNECTIONS),
        Figure("streams that ended with their result", len(held.finished), "", at_least=STREAMS),
        Figure("answers but 200 and 429", sum(others.values()) + len(held.broken), "", at_most=0),
        Figure("a critical call beside them, p95", nearest_rank(waits, 0.95), "ms"),
        Figure("memory of the HTTP process", memory, "MB"),
    ]
    say(f"statuses {dict(held.statuses)}, refused {dict(held.refusals)}, broken {held.broken[:3]}")
    return Findings(figures, [leg])


async def _hold(platform: Platform) -> tuple[Held, list[float]]:
    held, gate = Held(), asyncio.Semaphore(_OPENING)
    say(f"sending {STREAMS} jobs")
    jobs = await _submitted(platform)
    say(f"opening {STREAMS + WAITERS} connections")
    streams = [
        _hold_one(platform, f"{_URL}/{job}/events", held, gate, partial(_read_stream, job=job, held=held))
        for job in jobs
    ]
    late = jobs[len(jobs) // 2 :]
    waits = [f"{_URL}/{late[number % len(late)]}?wait={_WAIT_SECONDS}" for number in range(WAITERS)]
    waiters = [_hold_one(platform, path, held, gate, raw_http.Answer.body) for path in waits]
    everything = asyncio.gather(*streams, *waiters)
    probed = await _probe(platform, everything)
    await everything
    return held, probed


async def _submitted(platform: Platform) -> list[str]:
    texts = [document(sentences(_SENTENCES, start=number * _SENTENCES)) for number in range(STREAMS)]
    async with httpx.AsyncClient(headers=platform.headers, timeout=60) as client:

        async def one(text: str) -> str:
            body = {"text": text, "source_language": "en", "target_language": "pt"}
            answer = await client.post(platform.run.http_url + _URL, json=body)
            return str(answer.raise_for_status().json()["job_id"])

        at_once = [texts[start : start + _POSTS] for start in range(0, STREAMS, _POSTS)]
        return [job for some in at_once for job in await asyncio.gather(*map(one, some))]


async def _hold_one(platform: Platform, path: str, held: Held, gate: asyncio.Semaphore, read: Read) -> None:
    """Send one GET on a connection of its own, read its answer, and count what becomes of it."""
    await gate.acquire()
    asyncio.get_running_loop().call_later(_SENT_SECONDS, gate.release)
    url = httpx.URL(platform.run.http_url)
    try:
        async with asyncio.timeout(_LONGEST_SECONDS), raw_http.connected(url) as ask:
            with held.one_more():
                answer = await ask(raw_http.request("GET", path, url, platform.headers))
                await _count(answer, held, read)
    except (OSError, EOFError, TimeoutError) as error:
        held.broken.append(repr(error))


async def _count(answer: raw_http.Answer, held: Held, read: Read) -> None:
    held.statuses[answer.status] += 1
    if answer.status == _OK:
        await read(answer)
    else:
        held.refusals[json.loads(await answer.body())["detail"]] += 1


async def _read_stream(answer: raw_http.Answer, job: str, held: Held) -> None:
    """Read the events of a job until its result."""
    async for line in answer.lines():
        if line == "event: result":
            held.finished.add(job)
            return


async def _probe(platform: Platform, everything: "asyncio.Future[list[None]]") -> list[float]:
    waits = []
    async with httpx.AsyncClient(timeout=60) as client:
        for text in sentences(10_000, start=50_000):
            if everything.done():
                break
            began = time.perf_counter()
            await translate_by_platform(client, text, platform.run.http_url, platform.headers)
            waits.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(max(0.0, _PROBE_SECONDS - waits[-1] / 1000))
    return waits


def _memory_mb(pid: int) -> float:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main("connections", measure, DEFAULTS, __doc__))

"""A Celery worker on the platform's Valkey: the usual way to put an engine behind a queue.

`celery -A tests.bench.celery_rival worker` runs it; `together` and `one_by_one` measure it.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import redis
from celery import Celery, group

from inference_workers.engines.protocol import Engine
from tests.bench.engine import open_engine
from tests.bench.figures import Leg
from tests.bench.harness import Platform, process, processor_ms, say

NAME = "Celery"
VALKEY = "redis-state"
TRANSLATE, RECALL = "translate", "recall"
_URL = "BENCH_CELERY_URL"
_DATABASE = 1
# Benchmarks run in containers, whose only user is root.
_QUIET = "ignore:You're running the worker with superuser"
_ANSWER_SECONDS = 60.0

app = Celery("bench")
# As sure as Celery gets: a task of a killed worker is done again.
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=4)


@app.task(name=TRANSLATE)
def translate(text: str) -> str:
    """Translate by the engine of this process."""
    return _engine().translate([text], {})[0].text


@app.task(name=RECALL)
def recall(text: str) -> str | None:
    """Look the translation up in Valkey."""
    return _memory().get(text)


def together(platform: Platform, task: str, texts: Sequence[str], processes: int) -> Leg:
    """Send all texts at once; the platform's own processes stand still until all are answered."""
    say(f"{NAME}, {len(texts)} tasks, {processes} processes")
    with _running(platform, processes) as (client, cpu_ms), platform.alone(VALKEY):
        before = cpu_ms()
        seconds = client.submit(_seconds_of_all, task, texts).result()
        spent = {"celery": round(cpu_ms() - before, 1)}
    return Leg(NAME, len(texts), round(seconds, 2), len(texts) / seconds, cpu_ms=spent)


def one_by_one(platform: Platform, texts: Sequence[str], every_seconds: float, processes: int) -> Leg:
    """Send a text after each pause and wait for its answer."""
    say(f"{NAME}, one sentence each {every_seconds:g} s")
    with _running(platform, processes) as (client, _), platform.alone(VALKEY):
        taken = client.submit(_milliseconds_of_each, texts, every_seconds).result()
    return Leg.of(NAME, taken, sum(taken) / 1000)


def remember(platform: Platform, texts: Sequence[str]) -> None:
    """Put a translation of each into Celery's Valkey, for `recall`."""
    with redis.Redis.from_url(_url_of(platform)) as client:
        client.mset({text: text for text in texts})


@contextmanager
def _running(platform: Platform, processes: int) -> Iterator[tuple[ProcessPoolExecutor, Callable[[], float]]]:
    """Run a warm worker of so many processes; yield a process to send from, and the worker's processor time.

    The sender is a process of its own: Celery's results ask Valkey even while they are deleted, and go on asking
    when it has ended.
    """
    url = _url_of(platform)
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR")
    command = ("celery", "-A", __name__, "worker", "-P", "prefork", "-c", str(processes), *quiet)
    spawn = multiprocessing.get_context("spawn")
    with (
        process(sys.executable, "-m", *command, **{_URL: url, "PYTHONWARNINGS": _QUIET}) as pid,
        ProcessPoolExecutor(1, spawn, _configure, (url,)) as client,
    ):
        client.submit(_seconds_of_all, TRANSLATE, ["The house is big."] * processes * 8).result()
        yield client, lambda: processor_ms(pid, with_children=True)


def _seconds_of_all(task: str, texts: Sequence[str]) -> float:
    began = time.perf_counter()
    group(app.signature(task, (text,)) for text in texts).apply_async().join_native(timeout=_ANSWER_SECONDS)
    return time.perf_counter() - began


def _milliseconds_of_each(texts: Sequence[str], every_seconds: float) -> list[float]:
    taken = []
    for text in texts:
        time.sleep(every_seconds)
        began = time.perf_counter()
        app.signature(TRANSLATE, (text,)).apply_async().get(timeout=_ANSWER_SECONDS)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _configure(url: str | None) -> None:
    app.conf.update(broker_url=url, result_backend=url)


def _url_of(platform: Platform) -> str:
    return f"{platform.run.redis_state_url.rpartition('/')[0]}/{_DATABASE}"


@cache
def _engine() -> Engine:
    return open_engine()


@cache
def _memory() -> Any:
    return redis.Redis.from_url(os.environ[_URL], decode_responses=True)


_configure(os.environ.get(_URL))

"""Measure what a worker does for a sentence beside its engine, and between two calls of it.

`python -m tests.bench.worker_loop` works through a document with the real loop, layer and engine on a broker in
memory. An engine fills the caches of its core, so what lies between two sentences takes several times as long as
where the engine takes no time (`python -m tests.bench.worker_path`). Prints the processor time of a sentence,
and what the bare engine takes in between; of several processes at once if asked: `--processes 2`.
"""

import argparse
import multiprocessing
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import structlog

from connectors.memory import InMemoryTranslationMemory
from inference_workers.crash_journal import CrashJournal
from inference_workers.engines.bergamot import BergamotEngine
from inference_workers.engines.protocol import Engine, Translation
from inference_workers.fitting import FittingTranslator, SafeSize
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover
from inference_workers.translating import SegmentTranslator
from schemas.lanes import Lane
from schemas.messages import SegmentBatch
from schemas.topics import batches_topic
from tests.bench.engine import open_engine
from tests.bench.worker_path import CODEC, records
from tests.property.worker_world import Broker, Clock, Worker

_RUNS, _BATCHES = 3, 6
_INFO, _SAFE_SECONDS = 20, 600.0
_translate = BergamotEngine.translate


class Monotonic(Clock):
    """The clock of this system, in place of one that tests move."""

    def __call__(self) -> float:
        return time.monotonic()


class Spent:
    """Adds up the processor time of the engine."""

    seconds = 0.0


def timed(engine: BergamotEngine, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
    """Translate as the engine does, and note what it takes."""
    began = time.thread_time()
    found = _translate(engine, sentences, options)
    Spent.seconds += time.thread_time() - began
    return found


def measure(translator: FittingTranslator, batches: Sequence[bytes]) -> tuple[float, float]:
    """Work through the batches; return the milliseconds of the engine and of all else, for each sentence."""
    broker = Broker()
    worker = Worker(broker, Monotonic(), goes_text_by_text=True)
    worker.loop.handler.segments = SegmentTranslator(translator, InMemoryTranslationMemory(), time.perf_counter)
    # Half a second of work at once, as workers take it.
    worker.loop.source.budget_words, worker.loop.source.take_records = lambda: 300, 1000
    broker.logs[batches_topic("default", Lane.STANDARD_BULK), 0] += batches
    Spent.seconds, began, chance = 0.0, time.thread_time(), random.Random(1)
    while sum(broker.translated.values()) < len(batches):
        worker.turn()
        while worker.wire.on_their_way:
            worker.wire.deliver(chance)
    spent = time.thread_time() - began
    count = len(texts_of(batches))
    return Spent.seconds / count * 1000, (spent - Spent.seconds) / count * 1000


def bare(engine: Engine, texts: Sequence[str]) -> float:
    """Return the milliseconds of a sentence without anything around the engine."""
    began = time.thread_time()
    for text in texts:
        engine.translate([text], {})
    return (time.thread_time() - began) / len(texts) * 1000


def texts_of(batches: Sequence[bytes]) -> list[str]:
    """Return the sentences of the batches."""
    return [text for one in batches for text in CODEC.decode(one, SegmentBatch).texts]


def run(_number: int) -> list[tuple[float, float, float]]:
    """Measure several times, for each run also the bare engine; the first run warms up and does not count."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_INFO))
    BergamotEngine.translate = timed  # type: ignore[assignment,method-assign]  # the real loader makes it
    router = ModelRouter(discover())
    router.warm_up()
    with tempfile.TemporaryDirectory() as folder:
        journal = CrashJournal(Path(folder) / "journal")
        translator = FittingTranslator(router, SafeSize(_SAFE_SECONDS), time.monotonic, journal)
        batches = [one.value or b"" for one in records(0)[:_BATCHES]]
        engine, texts = open_engine(), texts_of(batches)
        return [(*measure(translator, batches), bare(engine, texts)) for _ in range(_RUNS + 1)][1:]


def main() -> None:
    """Print the figures of each run of each process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    processes = parser.parse_args().processes
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for engine, rest, alone in chain.from_iterable(pool.map(run, range(processes))):
            print(f"engine {engine:.2f} ms a sentence, all else {rest:.2f} ms; bare engine {alone:.2f} ms")


if __name__ == "__main__":
    main()

"""How fast the engine is with nothing around it: the same segments, as many processes, the same machine."""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier

from inference_workers.models.store import discover, load
from schemas.words import count_words

# Longest time a process may take to load its model; then something is broken.
_LOAD_SECONDS = 120.0


def words_per_minute(segments: Sequence[str], pair: tuple[str, str], processes: int) -> float:
    """Source words a minute of so many engine processes over the segments, dealt out evenly.

    The clock starts when every process has loaded its model and ends with the slowest one.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier, seconds = spawn.Barrier(processes + 1), spawn.Queue()
    shares = [segments[number::processes] for number in range(processes)]
    workers = [spawn.Process(target=_work, args=(share, pair, barrier, seconds)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(_LOAD_SECONDS)
    slowest: float = max(seconds.get() for _ in workers)
    for worker in workers:
        worker.join()
    return sum(count_words(segment) for segment in segments) / slowest * 60


def _work(
    segments: Sequence[str], pair: tuple[str, str], barrier: Barrier, seconds: "multiprocessing.Queue[float]"
) -> None:
    engine = load(next(info for info in discover() if info.pair == pair))
    engine.translate(segments[:1], {})
    barrier.wait(_LOAD_SECONDS)
    started = time.perf_counter()
    engine.translate(segments, {})
    seconds.put(time.perf_counter() - started)

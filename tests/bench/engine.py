"""The bare engine: the platform's own model in processes of their own, with nothing around it."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from statistics import fmean
from typing import ParamSpec, TypeVar

from inference_workers.engines.protocol import Engine, Translation
from inference_workers.fidelity import Fidelity
from inference_workers.model_store import discover, load
from producers.cli.demo import words_per_minute
from schemas.languages import LanguagePair
from schemas.segments import count_words, normalise
from tests.bench.figures import Leg
from tests.bench.harness import NICENESS, say

PAIR = ("en", "pt")
NAME = "bare engine"

P = ParamSpec("P")
T = TypeVar("T")


def open_engine() -> Engine:
    """Load the model and translate once."""
    engine = load(next(info for info in discover() if info.translates(*PAIR))).engine(*PAIR)
    engine.translate(["The house is big."], {})
    return engine


def together(texts: Sequence[str], processes: int) -> Leg:
    """Translate the texts in so many processes that share them evenly; the slowest one counts."""
    say(f"{NAME}, {len(texts)} sentences, {processes} processes")
    per_minute = _nicely(words_per_minute, texts, PAIR, processes)
    seconds = sum(map(count_words, texts)) / per_minute * 60
    return Leg(NAME, len(texts), round(seconds, 2), len(texts) / seconds)


class StandingEngine:
    """Processes that have loaded the model and wait for texts; `standing` makes it."""

    def __init__(self, processes: Sequence[ProcessPoolExecutor]) -> None:
        self._processes = processes

    def leg(self, texts: Sequence[str], seconds: float) -> Leg:
        """Translate for so many seconds, each process texts of its own; at most all of them.

        The rate is in sentences of the mean length of the texts.
        """
        say(f"{NAME}, {seconds:g} s, {len(self._processes)} processes")
        asked = [
            process.submit(_translated_within, texts[number :: len(self._processes)], seconds)
            for number, process in enumerate(self._processes)
        ]
        found = [one.result() for one in asked]
        words_per_second = sum(words / taken for _, words, taken in found)
        count, longest = sum(count for count, _, _ in found), max(taken for _, _, taken in found)
        return Leg(NAME, count, round(longest, 2), words_per_second / fmean(map(count_words, texts)))


@contextmanager
def standing(processes: int) -> Iterator[StandingEngine]:
    """Keep so many processes, as nice as the stack's workers, that have loaded the model."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as exits:
        pools = [
            exits.enter_context(ProcessPoolExecutor(1, spawn, os.nice, (NICENESS,))) for _ in range(processes)
        ]
        for loaded in [pool.submit(_warm_up) for pool in pools]:
            loaded.result()
        yield StandingEngine(pools)


class Stopwatch:
    """An engine that notes the milliseconds of each of its calls."""

    def __init__(self, engine: Engine) -> None:
        self.version, self.traits = engine.version, engine.traits
        self.milliseconds: list[float] = []
        self._engine = engine

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """Translate as the engine does."""
        began = time.perf_counter()
        translations = self._engine.translate(sentences, options)
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        return translations


def one_by_one(texts: Sequence[str], every_seconds: float) -> tuple[Leg, list[float], list[float]]:
    """Translate a text after each pause.

    Returns:
        the leg, the milliseconds of each text, and those of the further calls that the fidelity layer asks for
        where the engine's first answer breaks the text (0 for most).
    """
    say(f"{NAME}, one sentence each {every_seconds:g} s")
    taken, repeats = _nicely(_milliseconds_of_each, texts, every_seconds)
    return Leg.of(NAME, taken, sum(taken) / 1000), taken, repeats


def _milliseconds_of_each(texts: Sequence[str], every_seconds: float) -> tuple[list[float], list[float]]:
    watch = Stopwatch(open_engine())
    layer = Fidelity(watch, LanguagePair(*PAIR))
    taken, repeats = [], []
    for text in texts:
        time.sleep(every_seconds)
        watch.translate([text], {})
        layer.translate([normalise(text)], {})
        first, *asked_by_layer = watch.milliseconds
        taken.append(first)
        repeats.append(sum(asked_by_layer[1:]))
        watch.milliseconds.clear()
    return taken, repeats


@cache
def _own_engine() -> Engine:
    return open_engine()


def _warm_up() -> None:
    _own_engine()


def _translated_within(texts: Sequence[str], seconds: float) -> tuple[int, int, float]:
    """Return how many of the texts were translated until the time was over, their words, and what they took."""
    engine, count, words, began = _own_engine(), 0, 0, time.perf_counter()
    for text in texts:
        engine.translate([text], {})
        count, words = count + 1, words + count_words(text)
        if time.perf_counter() - began > seconds:
            break
    return count, words, time.perf_counter() - began


def _nicely(measure: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call it in a process as nice as the stack's workers."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, os.nice, (NICENESS,)) as process:
        return process.submit(measure, *arguments, **named).result()

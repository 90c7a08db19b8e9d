"""The bare engine: the platform's own model in processes of their own, with nothing around it."""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
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


def _nicely(measure: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call it in a process as nice as the stack's workers."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, os.nice, (NICENESS,)) as process:
        return process.submit(measure, *arguments, **named).result()

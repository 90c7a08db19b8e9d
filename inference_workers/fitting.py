"""Translate texts in smaller parts where they do not fit into the device's memory, or where the engine fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from connectors.telemetry import metrics
from inference_workers.crash_journal import CrashJournal
from inference_workers.engines.protocol import EngineError, OutOfMemoryError
from inference_workers.translating import Translator
from inference_workers.workload import TranslationOutcome
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.terms import NO_TERMS

log = structlog.get_logger()

OUT_OF_MEMORY = "out_of_memory"
ENGINE_ERROR = "engine_error"
# What every engine translates; one that cannot is broken, whatever the text was.
PROBE = "The house is big."


@dataclass
class SafeSize:
    """How much fits, remembered for a while only, as another program may have held the memory. Pure.

    A size is a number of characters with padding: a device batch is as wide as its longest text.
    """

    forget_after_seconds: float
    _most: float = field(default=float("inf"), init=False)
    _until: float = field(default=0.0, init=False)

    def fitting(self, texts: Sequence[str], now: float) -> int:
        """Return how many of the texts, from the first on, to try together; one at least."""
        if now >= self._until:
            self._most = float("inf")
        longest = count = 0
        for text in texts:
            longest = max(longest, len(text))
            if count and (count + 1) * longest > self._most:
                break
            count += 1
        return count

    def failed(self, texts: Sequence[str], now: float) -> None:
        """Note that these texts, more than one, did not fit together: try half their size from now on."""
        self._most = len(texts) * max(map(len, texts)) / 2
        self._until = now + self.forget_after_seconds


@dataclass(frozen=True)
class Unfit:
    """A text that fails even alone; it becomes a hole."""

    text: str
    score: float | None = None
    cause: str | None = OUT_OF_MEMORY
    warning: None = None


class _Asked(NamedTuple):
    """What is asked of every part."""

    source: str
    target: str
    options: Mapping[str, str]
    terms: Sequence[str]
    glossary: Mapping[str, str]


@dataclass(frozen=True)
class FittingTranslator:
    """Implements inference_workers.translating.Translator around another one. `clock` counts seconds."""

    translator: Translator
    size: SafeSize
    clock: Callable[[], float]
    journal: CrashJournal = field(default_factory=CrashJournal)

    def version_of(self, source: str, target: str) -> str:
        return self.translator.version_of(source, target)

    def is_one_by_one(self, source: str, target: str) -> bool:
        return self.translator.is_one_by_one(source, target)

    def translate(  # noqa: PLR0913, PLR0917  # texts, pair, and what the caller wishes
        self,
        texts: Sequence[str],
        source: str,
        target: str,
        options: Mapping[str, str],
        terms: Sequence[str] = (),
        glossary: Mapping[str, str] = NO_TERMS,
    ) -> Sequence[TranslationOutcome]:
        """Translate part by part; each failure makes the next part smaller. A text that fails alone is a hole.

        Raises FatalError where the engine fails on any text at all.
        """
        asked = _Asked(source, target, options, terms, glossary)
        outcomes: list[TranslationOutcome] = []
        while len(outcomes) < len(texts):
            count = self.size.fitting(texts[len(outcomes) :], self.clock())
            part = texts[len(outcomes) : len(outcomes) + count]
            try:
                outcomes += self._tried(part, asked)
            except OutOfMemoryError:
                outcomes += self._unfit(part)
            except EngineError as error:
                log.warning("engine_failed", texts=len(part), error=str(error))
                outcomes += self._divided(part, asked)
        return outcomes

    def _tried(self, part: Sequence[str], asked: _Asked) -> Sequence[TranslationOutcome]:
        """Translate with a note in the journal, which stays where the process or its engine does not survive."""
        self.journal.check(part)
        self.journal.take(part)
        try:
            outcomes = self.translator.translate(part, *asked)
        except EngineError as error:
            self._probe(error, asked.source, asked.target)
            self.journal.done(part)
            raise
        except (PermanentError, TransientError):
            self.journal.done(part)
            raise
        self.journal.done(part)
        return outcomes

    def _probe(self, error: EngineError, source: str, target: str) -> None:
        try:
            self.translator.translate([PROBE], source, target, {})
        except EngineError:
            raise FatalError(f"the engine is broken, it fails on any text: {error}") from error

    def _divided(self, part: Sequence[str], asked: _Asked) -> Sequence[TranslationOutcome]:
        """Return a hole for a single text; translate several in two halves, each of which may fail again."""
        if len(part) == 1:
            metrics.ENGINE_ERRORS.inc()
            return [Unfit(part[0], cause=ENGINE_ERROR)]
        middle = len(part) // 2
        halves = (part[:middle], part[middle:])
        return [one for half in halves for one in self.translate(half, *asked)]

    def _unfit(self, part: Sequence[str]) -> list[Unfit]:
        """Return a hole for a single text; for several texts nothing, but note their size."""
        metrics.OUT_OF_MEMORY.inc()
        log.warning("out_of_memory", texts=len(part), longest_characters=max(map(len, part)))
        if len(part) == 1:
            return [Unfit(part[0])]
        self.size.failed(part, self.clock())
        return []

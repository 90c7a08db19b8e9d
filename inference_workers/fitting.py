"""Translate texts in smaller parts when they do not fit into the device's memory together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.telemetry import metrics
from inference_workers.engines.protocol import OutOfMemoryError
from inference_workers.translating import TranslationOutcome, Translator

log = structlog.get_logger()

CAUSE = "out_of_memory"


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
    """A text that does not fit even alone; it becomes a hole."""

    text: str
    score: float | None = None
    cause: str | None = CAUSE


@dataclass(frozen=True)
class FittingTranslator:
    """Implements inference_workers.translating.Translator around another one. `clock` counts seconds."""

    translator: Translator
    size: SafeSize
    clock: Callable[[], float]

    def version_of(self, source: str, target: str) -> str:
        return self.translator.version_of(source, target)

    def is_one_by_one(self, source: str, target: str) -> bool:
        return self.translator.is_one_by_one(source, target)

    def translate(
        self, texts: Sequence[str], source: str, target: str, options: Mapping[str, str]
    ) -> Sequence[TranslationOutcome]:
        """Translate part by part. Never raises OutOfMemoryError: each failure makes the next part smaller."""
        outcomes: list[TranslationOutcome] = []
        while len(outcomes) < len(texts):
            count = self.size.fitting(texts[len(outcomes) :], self.clock())
            part = texts[len(outcomes) : len(outcomes) + count]
            try:
                outcomes += self.translator.translate(part, source, target, options)
            except OutOfMemoryError:
                outcomes += self._unfit(part)
        return outcomes

    def _unfit(self, part: Sequence[str]) -> list[Unfit]:
        """Return a hole for a single text; for several texts nothing, but note their size."""
        metrics.OUT_OF_MEMORY.inc()
        log.warning("out_of_memory", texts=len(part), longest_characters=max(map(len, part)))
        if len(part) == 1:
            return [Unfit(part[0])]
        self.size.failed(part, self.clock())
        return []

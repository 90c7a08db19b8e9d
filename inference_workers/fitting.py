"""Call the engine for fewer texts where they do not fit into the device's memory, or where the engine fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.telemetry import metrics
from inference_workers.crash_journal import CrashJournal
from inference_workers.engines.protocol import EngineError, OutOfMemoryError
from inference_workers.fidelity import Dialogue, Outcome, ShouldStop
from inference_workers.translator import Dialogues, Translator, outcomes_of
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.segments import TranslationContext

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

    def fitting(self, groups: Sequence[Sequence[str]], now: float) -> int:
        """Return how many of the groups of texts, from the first on, to try together; one at least."""
        if now >= self._until:
            self._most = float("inf")
        texts = longest = count = 0
        for group in groups:
            texts += len(group)
            longest = max(longest, *map(len, group))
            if count and texts * longest > self._most:
                break
            count += 1
        return count

    def failed(self, groups: Sequence[Sequence[str]], now: float) -> None:
        """Note that these groups, more than one, did not fit together: try half their size from now on."""
        texts = [text for group in groups for text in group]
        self._most = len(texts) * max(map(len, texts)) / 2
        self._until = now + self.forget_after_seconds


@dataclass(frozen=True)
class FittingTranslator:
    """Implements inference_workers.translator.Translator around another one. `clock` counts seconds."""

    translator: Translator
    size: SafeSize
    clock: Callable[[], float]
    journal: CrashJournal = field(default_factory=CrashJournal)

    def version_of(self, source: str, target: str) -> str:
        return self.translator.version_of(source, target)

    def is_one_by_one(self, source: str, target: str) -> bool:
        return self.translator.is_one_by_one(source, target)

    def begin(self, texts: Sequence[str], context: TranslationContext) -> list[Dialogue[Outcome]]:
        return self.translator.begin(texts, context)

    def advance(
        self, dialogues: Dialogues, context: TranslationContext, should_stop: ShouldStop | None = None
    ) -> None:
        """Call the engine for as many as fit, until all had their turn. A text that fails alone is a hole.

        Raises FatalError where the engine fails on any text at all.
        """
        waiting = list(dialogues)
        most = len(waiting)
        while waiting:
            count = min(self.size.fitting([_asked(one) for one in waiting], self.clock()), most)
            try:
                self._tried(waiting[:count], context, should_stop)
            except OutOfMemoryError:
                if self._is_too_large(waiting[:count]):
                    # Fewer in any case: the size may be forgotten before the next try.
                    most = max(count // 2, 1)
                    continue
            except EngineError as error:
                log.warning("engine_failed", texts=count, error=str(error))
                self._divide(waiting[:count], context, should_stop)
            del waiting[:count]
            most = len(waiting)

    def _tried(self, dialogues: Dialogues, context: TranslationContext, should_stop: ShouldStop | None) -> None:
        """Advance with a note in the journal, which stays where the process or its engine does not survive."""
        texts = [one.source for one in dialogues]
        self.journal.check(texts)
        self.journal.take(texts)
        try:
            self.translator.advance(dialogues, context, should_stop)
        except EngineError as error:
            self._probe(error, context)
            self.journal.done(texts)
            raise
        except (PermanentError, TransientError):
            self.journal.done(texts)
            raise
        self.journal.done(texts)

    def _probe(self, error: EngineError, context: TranslationContext) -> None:
        try:
            outcomes_of(self.translator, [PROBE], TranslationContext("", context.source, context.target))
        except EngineError:
            raise FatalError(f"the engine is broken, it fails on any text: {error}") from error

    def _divide(self, dialogues: Dialogues, context: TranslationContext, should_stop: ShouldStop | None) -> None:
        """Make a hole of a single text; advance several in two halves, each of which may fail again."""
        if len(dialogues) == 1:
            metrics.ENGINE_ERRORS.inc()
            _give_up(dialogues[0], ENGINE_ERROR)
            return
        middle = len(dialogues) // 2
        for half in (dialogues[:middle], dialogues[middle:]):
            self.advance(half, context, should_stop)

    def _is_too_large(self, dialogues: Dialogues) -> bool:
        """Make a hole of a single text; of several note the size, to try fewer of them."""
        groups = [_asked(one) for one in dialogues]
        metrics.OUT_OF_MEMORY.inc()
        longest = max(len(text) for group in groups for text in group)
        log.warning("out_of_memory", texts=len(groups), longest_characters=longest)
        if len(groups) == 1:
            _give_up(dialogues[0], OUT_OF_MEMORY)
            return False
        self.size.failed(groups, self.clock())
        return True


def _asked(dialogue: Dialogue[Outcome]) -> Sequence[str]:
    return dialogue.question.texts if dialogue.question else ()


def _give_up(dialogue: Dialogue[Outcome], cause: str) -> None:
    dialogue.give_up(Outcome(dialogue.source, None, cause))

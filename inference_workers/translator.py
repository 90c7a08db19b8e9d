"""What translates texts for a worker: models with their fidelity layer."""

from collections.abc import Sequence
from typing import Protocol

from inference_workers.fidelity import Dialogue, Outcome, ShouldStop
from inference_workers.fidelity.dialogue import lead_to_the_end
from schemas.segments import TranslationContext

Dialogues = Sequence[Dialogue[Outcome]]


class Translator(Protocol):
    """Models with their fidelity layer (inference_workers/model_router.py)."""

    def version_of(self, source: str, target: str) -> str:
        """Return the model version of a pair. Raises PermanentError when no model serves it."""

    def is_one_by_one(self, source: str, target: str) -> bool:
        """Tell whether the engine of a pair translates text by text, so that several at once gain nothing."""

    def begin(self, texts: Sequence[str], context: TranslationContext) -> list[Dialogue[Outcome]]:
        """Return the dialogue of each text with the engine, which is not called yet.

        Raises PermanentError for a bad option, or where no model serves the pair.
        """

    def advance(
        self, dialogues: Dialogues, context: TranslationContext, should_stop: ShouldStop | None = None
    ) -> None:
        """Call the engine once for dialogues of one context, which leads each on or lets it wait. Blocks.

        One that goes text by text asks between two of them whether to stop.

        Raises OutOfMemoryError, EngineError, and PermanentError for a bad option.
        """


def outcomes_of(translator: Translator, texts: Sequence[str], context: TranslationContext) -> list[Outcome]:
    """Translate texts to the end, and return an outcome for each. Blocks and raises as the translator does."""
    return lead_to_the_end(translator.begin(texts, context), lambda waiting: translator.advance(waiting, context))

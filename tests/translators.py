"""A translator for tests that asks about each text once, and the contexts that a translator is asked with."""

from collections.abc import Mapping, Sequence
from typing import Any

from inference_workers.fidelity import Dialogue, ShouldStop
from inference_workers.fidelity.dialogue import Call, Question, Steps
from inference_workers.translator import Translator, outcomes_of
from schemas.segments import TranslationContext


class PlainTranslator:
    """Implements inference_workers.translator.Translator without a layer: subclasses have `translate`."""

    def version_of(self, source: str, target: str) -> str:
        return "plain-1"

    def is_one_by_one(self, source: str, target: str) -> bool:
        return False

    def translate(self, texts: Sequence[str]) -> Sequence[Any]:
        """Return the outcome of each text, in place of an engine."""
        raise NotImplementedError

    def begin(self, texts: Sequence[str], context: TranslationContext) -> list[Dialogue[Any]]:
        return [Dialogue(text, _asked_once(text)) for text in texts]

    def advance(
        self,
        dialogues: Sequence[Dialogue[Any]],
        context: TranslationContext,
        should_stop: ShouldStop | None = None,
    ) -> None:
        call = Call.of(dialogues)
        assert call is not None
        if should_stop is None:
            call.answer(self.translate(call.question.texts))
        else:
            call.answer_with(lambda texts, _options: list(self.translate(texts)), should_stop)


def _asked_once(text: str) -> Steps[Any]:
    (outcome,) = yield Question([text], {})
    return outcome


def translated(
    translator: Translator,
    texts: Sequence[str],
    source: str = "en",
    target: str = "pt",
    *,
    options: Mapping[str, str] | None = None,
    terms: Sequence[str] = (),
) -> Sequence[Any]:
    """Return the outcome of each text."""
    wishes = tuple(sorted((options or {}).items()))
    context = TranslationContext("", source, target, do_not_translate=tuple(terms), engine_options=wishes)
    return outcomes_of(translator, texts, context)

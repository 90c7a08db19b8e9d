"""Translate through one engine, keep what must not change, refuse what is no translation, mark what is doubtful.

The steps of a text are a dialogue (dialogue.py): ladder.py has the steps, and texts that wait for the engine at
once share a call of it.
"""

from collections.abc import Mapping, Sequence

from inference_workers.engines.protocol import Engine
from inference_workers.fidelity import flaws
from inference_workers.fidelity.dialogue import Call, Dialogue, EngineOptions, ShouldStop, lead_to_the_end
from inference_workers.fidelity.ladder import Ladder, Speller
from inference_workers.fidelity.masking import MOST_SPANS, Masker
from inference_workers.fidelity.outcomes import Outcome
from inference_workers.fidelity.own_spans import own_spans
from schemas.languages import LanguagePair
from schemas.terms import NO_TERMS
from schemas.validity import PATTERN_OPTION


class Fidelity:
    """The layer around one engine. For one thread; the engine belongs to the caller.

    `pair` tells how long translations may be; without it the bounds are wide. A text of more than `most_spans`
    spans is not translated.
    """

    def __init__(self, engine: Engine, pair: LanguagePair | None = None, most_spans: int = MOST_SPANS) -> None:
        self._engine = engine
        self._bounds = flaws.bounds_of(pair)
        self._masker = Masker(engine.traits.unseen, engine.traits.spellings, most_spans)
        self._speller = Speller(engine.traits)

    @property
    def is_one_by_one(self) -> bool:
        """Tell whether several texts at once gain nothing."""
        return self._engine.traits.is_one_by_one

    def spans(self, text: str) -> tuple[str, ...]:
        """Return what of a text is hidden from the engine."""
        return self._masker.take_apart(text).hidden

    def begin(
        self,
        texts: Sequence[str],
        options: EngineOptions,
        terms: Sequence[str] = (),
        glossary: Mapping[str, str] = NO_TERMS,
    ) -> list[Dialogue[Outcome]]:
        """Return the dialogue of each text; one that no engine should see has its outcome at once. Asks nothing.

        `terms` stay as they are; those of the glossary become what it says. A dialogue outlives the engine: it
        may be led on with another one of the same model.
        Raises PermanentError for a `placeholder_pattern` among the options that is none.
        """
        own = own_spans(terms, options, glossary)
        rest = {name: value for name, value in options.items() if name != PATTERN_OPTION}
        ladder = Ladder(self._engine.traits, rest, self._masker, own, self._speller, self._bounds)
        return list(map(ladder.begun, texts))

    def advance(self, dialogues: Sequence[Dialogue[Outcome]], should_stop: ShouldStop | None = None) -> None:
        """Call the engine once, for all that wish the same options as the first. Blocks and raises as it does.

        After an error all of them wait as before. An engine that goes text by text may be told to stop: what it
        has not translated then waits.
        """
        call = Call.of(dialogues)
        if call and should_stop and self.is_one_by_one:
            call.answer_with(self._engine.translate, should_stop)
        elif call:
            call.answer(self._engine.translate(*call.question))

    def translate(
        self,
        texts: Sequence[str],
        options: EngineOptions,
        terms: Sequence[str] = (),
        glossary: Mapping[str, str] = NO_TERMS,
    ) -> list[Outcome]:
        """Return one outcome per text, in order: `begin`, and `advance` to the end."""
        return lead_to_the_end(self.begin(texts, options, terms, glossary), self.advance)

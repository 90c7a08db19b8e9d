"""One text's dialogue with an engine: what it asks next, until its outcome is known. Pure.

The steps of a text (translation.py) are a generator: it yields a question, is sent the translations, and returns
the outcome. So texts at different steps share a call of the engine, and whoever leads them through may turn to
more urgent work between any two calls.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from inference_workers.engines.protocol import Translation

EngineOptions = Mapping[str, str]

# Tells, asked between two texts, whether a call of the engine shall end before the next one.
ShouldStop = Callable[[], bool]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Question(NamedTuple):
    """What to ask an engine: some texts, all under the same options."""

    texts: Sequence[str]
    options: EngineOptions


Steps = Generator[Question, Sequence[Translation], R]


class Dialogue(Generic[R]):
    """Leads the steps of one text, if it has any. `question` is what it asks now; None once it has an outcome."""

    __slots__ = ("_steps", "outcome", "question", "source")

    def __init__(self, source: str, steps: Steps[R] | None = None, outcome: R | None = None) -> None:
        self.source, self.outcome = source, outcome
        self.question: Question | None = None
        self._steps = steps
        if steps is not None:
            self._begin(steps)

    def _begin(self, steps: Steps[R]) -> None:
        self._steps = steps
        try:
            self.question = next(steps)
        except StopIteration as end:
            self.question, self.outcome = None, end.value

    def hear(self, translations: Sequence[Translation]) -> None:
        """Go on with the answer to its question, one translation per text."""
        assert self._steps is not None, "it asked nothing"
        try:
            self.question = self._steps.send(translations)
        except StopIteration as end:
            self.question, self.outcome = None, end.value

    def give_up(self, outcome: R) -> None:
        """End with this outcome, whatever else it would ask."""
        if self._steps is not None:
            self._steps.close()
        self.question, self.outcome = None, outcome


class Attempt(Protocol[R_co]):
    """A first question whose answer mostly ends the dialogue."""

    @property
    def question(self) -> Question:
        """Return what it asks."""

    def outcome(self, translations: Sequence[Translation]) -> R_co | None:
        """Return the outcome; None where more steps are needed."""

    def steps(self) -> Steps[R_co]:
        """Return the steps behind the first, whose answer `outcome` has heard."""


class Attempted(Dialogue[R]):
    """A dialogue that has steps only where its first attempt fails: generators are dear, and few need one."""

    __slots__ = ("_attempt",)

    def __init__(self, source: str, attempt: Attempt[R]) -> None:
        super().__init__(source)
        self.question, self._attempt = attempt.question, attempt

    def hear(self, translations: Sequence[Translation]) -> None:
        if self._steps is not None:
            super().hear(translations)
        elif (outcome := self._attempt.outcome(translations)) is not None:
            self.question, self.outcome = None, outcome
        else:
            self._begin(self._attempt.steps())


class Call(NamedTuple, Generic[R]):
    """One call of an engine, and the dialogues whose questions it answers."""

    question: Question
    asking: list[Dialogue[R]]

    @classmethod
    def of(cls, dialogues: Sequence[Dialogue[R]]) -> "Call[R] | None":
        """Join the questions that wish the options of the first; the others wait. None where nobody asks."""
        waiting = [(one, question) for one in dialogues if (question := one.question)]
        if not waiting:
            return None
        options = waiting[0][1].options
        joined = [(one, question.texts) for one, question in waiting if question.options == options]
        texts = [text for _, some in joined for text in some]
        return cls(Question(texts, options), [one for one, _ in joined])

    def answer(self, translations: Sequence[Translation]) -> None:
        """Give each dialogue the translations of its own texts. Takes one per text of the question, in order.

        Where the last ones are missing, the dialogues that asked for them wait as before.
        """
        start = 0
        for one, texts in zip(self.asking, list(self.texts_of_each()), strict=True):
            end = start + len(texts)
            if end > len(translations):
                return
            one.hear(translations[start:end])
            start = end

    def texts_of_each(self) -> Iterator[Sequence[str]]:
        """Yield what each dialogue asks for."""
        return (one.question.texts for one in self.asking if one.question)

    def answer_with(
        self, translate: Callable[[Sequence[str], EngineOptions], list[Translation]], should_stop: ShouldStop
    ) -> None:
        """Have what each dialogue asks for translated in turn, the first in any case, until it shall stop."""
        found: list[Translation] = []
        for texts in self.texts_of_each():
            if found and should_stop():
                break
            found += translate(texts, self.question.options)
        self.answer(found)


def lead_to_the_end(
    dialogues: Sequence[Dialogue[R]], advance: Callable[[Sequence[Dialogue[R]]], object]
) -> list[R]:
    """Have `advance` lead those that ask on, again and again until none does; return the outcomes in order."""
    while waiting := [one for one in dialogues if one.question]:
        advance(waiting)
    return [one.outcome for one in dialogues if one.outcome is not None]


def side_by_side(several: Sequence[tuple[str, Steps[R]]]) -> Steps[list[R]]:
    """Lead several texts through their steps with few questions, and return their outcomes in order."""
    dialogues = [Dialogue(source, steps) for source, steps in several]
    while call := Call.of(dialogues):
        call.answer((yield call.question))
    return [one.outcome for one in dialogues if one.outcome is not None]

"""Answer the segments of one cycle: from the translation memory where it knows them, else by the engine, once."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from inference_workers.answers import SegmentAnswer
from inference_workers.batching import SegmentIndex, Work, pair_of, plan
from schemas.errors import PermanentError
from schemas.messages import SegmentBatch
from schemas.segments import Remembered, normalise
from stream_apps.pipeline.stores import TranslationMemory

# Characters that the engine gets in its first call; four times as many in the next, while a call takes less than
# two seconds.
_FIRST_CHARACTERS, _GROWTH, _QUICK_SECONDS = 2000, 4, 2.0

KnownAnswers = list[list[SegmentAnswer | None]]
"""The answers of each batch, by segment; None is not answered yet."""


class TranslationOutcome(Protocol):
    """One translated text. `cause` names why there is no usable translation."""

    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def cause(self) -> str | None: ...


class Translator(Protocol):
    """Models with their fidelity layer (inference_workers/model_router.py)."""

    def version_of(self, source: str, target: str) -> str:
        """Return the model version of a pair. Raises PermanentError when no model serves it."""

    def translate(
        self, texts: Sequence[str], source: str, target: str, options: Mapping[str, str]
    ) -> Sequence[TranslationOutcome]:
        """Return one outcome for each text. Blocks while the engine works. Raises OutOfMemoryError."""


@dataclass
class CycleAnswers:
    """The answers, the model and the engine's seconds of each batch, and what is worth remembering."""

    answers: list[list[SegmentAnswer]]
    models: list[str]
    busy_seconds: list[float]
    learnt: dict[str, Remembered]


@dataclass(frozen=True)
class SegmentTranslator:
    """Memory and engine together. `clock` counts seconds.

    Segments that are not translated after `longest_seconds` of one `translate` become holes with the cause
    `out_of_time`. Some texts take an engine a hundred times longer than prose; a worker that does not poll for too
    long loses its membership, and then the same batch would come again, for ever.
    """

    translator: Translator
    memory: TranslationMemory
    clock: Callable[[], float]
    longest_seconds: float = 45.0

    def translate(self, batches: Sequence[SegmentBatch]) -> CycleAnswers:
        """Answer every segment of every batch; a hole is an answer with a cause. Raises TransientError."""
        known = [[_given(batch, at) for at in range(len(batch.texts))] for batch in batches]
        end = self.clock() + self.longest_seconds
        done = CycleAnswers([], [self._model(batch) for batch in batches], [0.0] * len(batches), {})
        normalised = [[normalise(text) for text in batch.texts] for batch in batches]
        for work in plan(batches, normalised):
            self._recall(work, known)
            self._translate(work, known, done, end)
        done.answers = [_complete(batch, answers) for batch, answers in zip(batches, known, strict=True)]
        return done

    def _model(self, batch: SegmentBatch) -> str:
        pair = pair_of(batch)
        try:
            return self.translator.version_of(pair.source, pair.target)
        except PermanentError:
            return ""

    def _keys(self, work: Work, texts: Sequence[str]) -> list[str]:
        model = self.translator.version_of(work.context.source, work.context.target)
        return work.context.memory_keys(model, texts)

    def _recall(self, work: Work, known: KnownAnswers) -> None:
        # Intake looked these up too, but perhaps minutes ago; another request may have had the same text since.
        texts = list(work.wanted)
        try:
            found = self.memory.get_many(self._keys(work, texts))
        except PermanentError:
            return
        for text, remembered in zip(texts, found, strict=True):
            if remembered is not None:
                answer = SegmentAnswer(remembered.text, remembered.score, cached=True)
                _fill(known, work.wanted.pop(text), answer, answer)

    def _translate(self, work: Work, known: KnownAnswers, done: CycleAnswers, end: float) -> None:
        context, options = work.context, dict(work.context.engine_options)
        texts, characters, spent = work.by_length(), _FIRST_CHARACTERS, 0.0
        while texts and (before := self.clock()) < end:
            some, texts = _first_of(texts, characters)
            try:
                outcomes = self.translator.translate(some, context.source, context.target, options)
            except PermanentError as error:
                _refuse(known, work, [*some, *texts], error.cause)
                break
            seconds = self.clock() - before
            spent += seconds
            characters *= _GROWTH if seconds < _QUICK_SECONDS else 1
            self._note(work, some, outcomes, known, done)
        else:
            _refuse(known, work, texts, "out_of_time")
        self._share_effort(work, spent, done)

    def _note(
        self,
        work: Work,
        texts: Sequence[str],
        outcomes: Sequence[TranslationOutcome],
        known: KnownAnswers,
        done: CycleAnswers,
    ) -> None:
        for key, text, outcome in zip(self._keys(work, texts), texts, outcomes, strict=True):
            if outcome.cause is None:
                done.learnt[key] = Remembered(outcome.text, outcome.score)
            first = SegmentAnswer(outcome.text, outcome.score, cached=False, cause=outcome.cause)
            repeat = SegmentAnswer(outcome.text, outcome.score, cached=outcome.cause is None, cause=outcome.cause)
            _fill(known, work.wanted[text], first, repeat)

    def _share_effort(self, work: Work, seconds: float, done: CycleAnswers) -> None:
        # The batch that brought a segment first pays for it, by length; repeats are free.
        characters = sum(len(text) for text in work.wanted) or 1
        for text, indexes in work.wanted.items():
            done.busy_seconds[indexes[0].batch] += seconds * len(text) / characters


def _given(batch: SegmentBatch, at: int) -> SegmentAnswer | None:
    """Return the answer that intake found in the translation memory, if it did."""
    filled = batch.translations[at]
    return None if filled is None else SegmentAnswer(filled, batch.scores[at], cached=True)


def _fill(
    known: KnownAnswers, indexes: Sequence[SegmentIndex], first: SegmentAnswer, repeat: SegmentAnswer
) -> None:
    for count, (batch, segment) in enumerate(indexes):
        known[batch][segment] = repeat if count else first


def _first_of(texts: list[str], characters: int) -> tuple[list[str], list[str]]:
    """Split the texts after that many characters, but after one text at least."""
    ends = list(accumulate(map(len, texts)))
    count = max(bisect_right(ends, characters), 1)
    return texts[:count], texts[count:]


def _refuse(known: KnownAnswers, work: Work, texts: Sequence[str], cause: str) -> None:
    for text in texts:
        for batch, segment in work.wanted[text]:
            # `_complete` puts the source in its place, exactly as it was sent.
            known[batch][segment] = SegmentAnswer(text, None, cached=False, cause=cause)


def _complete(batch: SegmentBatch, answers: Sequence[SegmentAnswer | None]) -> list[SegmentAnswer]:
    """Return an answer for every segment; a hole shows the source exactly as it was sent."""
    return [
        SegmentAnswer(source, None, cached=False, cause=answer.cause if answer else "not_translated")
        if answer is None or answer.cause
        else answer
        for source, answer in zip(batch.texts, answers, strict=True)
    ]

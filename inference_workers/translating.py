"""The segments of one cycle: remembered where the memory knows them, translated once where it does not."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from inference_workers.answers import SegmentAnswer
from inference_workers.batching import SegmentIndex, Work, pair_of, plan
from schemas.errors import PermanentError
from schemas.messages import SegmentBatch
from schemas.segments import Remembered, memory_key, normalise
from stream_apps.pipeline.stores import TranslationMemory

# The engine gets so many characters at first, and more while they take it less than that.
_FIRST_CHARACTERS, _GROWTH, _QUICK_SECONDS = 2000, 4, 2.0


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
        """Model version of a pair. Raises PermanentError when no model serves it."""

    def translate(
        self, texts: Sequence[str], source: str, target: str, options: Mapping[str, str]
    ) -> Sequence[TranslationOutcome]:
        """One outcome for each text. Raises OutOfMemoryError when the device is."""


@dataclass
class CycleAnswers:
    """The answers of each batch, the models used, and the engine's seconds by batch."""

    answers: list[list[SegmentAnswer]]
    models: list[str]
    busy_seconds: list[float]
    learnt: dict[str, Remembered]


@dataclass(frozen=True)
class SegmentTranslator:
    """Memory and engine joined. `clock` counts seconds.

    After `longest_seconds` of one `translate`, what is left becomes holes with the cause `out_of_time`: some
    texts take an engine a hundred times longer than prose, and a worker that is away for too long loses its
    membership, after which the same batch would come again, for ever.
    """

    translator: Translator
    memory: TranslationMemory
    clock: Callable[[], float]
    longest_seconds: float = 45.0

    def translate(self, batches: Sequence[SegmentBatch]) -> CycleAnswers:
        """Answers for every segment of every batch. Raises TransientError; holes are answers with a cause."""
        known = [[_already(batch, at) for at in range(len(batch.texts))] for batch in batches]
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
        model = self.translator.version_of(work.pair.source, work.pair.target)
        return [memory_key(model, work.pair.source, work.pair.target, work.glossary, text) for text in texts]

    def _recall(self, work: Work, known: list[list[SegmentAnswer | None]]) -> None:
        # The look-up at intake may be minutes old; another request can have translated the same since.
        texts = list(work.places)
        try:
            found = self.memory.get_many(self._keys(work, texts))
        except PermanentError:
            return
        for text, remembered in zip(texts, found, strict=True):
            if remembered is not None:
                answer = SegmentAnswer(remembered.text, remembered.score, cached=True)
                _fill(known, work.places.pop(text), answer, answer)

    def _translate(
        self, work: Work, known: list[list[SegmentAnswer | None]], done: CycleAnswers, end: float
    ) -> None:
        texts, at_once, spent = work.by_length(), _FIRST_CHARACTERS, 0.0
        while texts and (before := self.clock()) < end:
            some, texts = _first_of(texts, at_once)
            try:
                outcomes = self.translator.translate(some, work.pair.source, work.pair.target, work.options)
            except PermanentError as error:
                _refuse(known, work, [*some, *texts], error.cause)
                break
            seconds = self.clock() - before
            spent += seconds
            at_once *= _GROWTH if seconds < _QUICK_SECONDS else 1
            self._fill_in(work, some, outcomes, known, done)
        else:
            _refuse(known, work, texts, "out_of_time")
        self._share_effort(work, spent, done)

    def _fill_in(
        self,
        work: Work,
        texts: Sequence[str],
        outcomes: Sequence[TranslationOutcome],
        known: list[list[SegmentAnswer | None]],
        done: CycleAnswers,
    ) -> None:
        for key, text, outcome in zip(self._keys(work, texts), texts, outcomes, strict=True):
            if outcome.cause is None:
                done.learnt[key] = Remembered(outcome.text, outcome.score)
            first = SegmentAnswer(outcome.text, outcome.score, cached=False, cause=outcome.cause)
            again = SegmentAnswer(outcome.text, outcome.score, cached=outcome.cause is None, cause=outcome.cause)
            _fill(known, work.places[text], first, again)

    def _share_effort(self, work: Work, seconds: float, done: CycleAnswers) -> None:
        # Who brought a segment first pays for it, by length; its repeats are free.
        characters = sum(len(text) for text in work.places) or 1
        for text, places in work.places.items():
            done.busy_seconds[places[0][0]] += seconds * len(text) / characters


def _already(batch: SegmentBatch, at: int) -> SegmentAnswer | None:
    filled = batch.translations[at]
    return None if filled is None else SegmentAnswer(filled, batch.scores[at], cached=True)


def _fill(
    known: list[list[SegmentAnswer | None]],
    places: Sequence[SegmentIndex],
    first: SegmentAnswer,
    again: SegmentAnswer,
) -> None:
    for count, (batch, position) in enumerate(places):
        known[batch][position] = again if count else first


def _first_of(texts: list[str], characters: int) -> tuple[list[str], list[str]]:
    """So many characters of the texts, one text at least, and the rest."""
    ends = list(accumulate(map(len, texts)))
    count = max(bisect_right(ends, characters), 1)
    return texts[:count], texts[count:]


def _refuse(known: list[list[SegmentAnswer | None]], work: Work, texts: Sequence[str], cause: str) -> None:
    for text in texts:
        for batch, position in work.places[text]:
            # The source as it was sent takes its place at the end.
            known[batch][position] = SegmentAnswer(text, None, cached=False, cause=cause)


def _complete(batch: SegmentBatch, answers: Sequence[SegmentAnswer | None]) -> list[SegmentAnswer]:
    """Every segment answered; a hole shows the source exactly as it was sent."""
    return [
        SegmentAnswer(source, None, cached=False, cause=answer.cause if answer else "not_translated")
        if answer is None or answer.cause
        else answer
        for source, answer in zip(batch.texts, answers, strict=True)
    ]

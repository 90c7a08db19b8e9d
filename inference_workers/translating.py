"""Answer the segments of batches: from the translation memory where it knows them, else by the engine, once.

`SegmentTranslator.open` looks all segments of the batches up in one round trip. What is left is cut into parts of
at most `part_seconds` of the engine's time, so that whoever works through them can turn to more urgent work
between two parts, and send each batch when its last segment is done.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from inference_workers.answers import SegmentAnswer
from inference_workers.batching import SegmentIndex, Work, pair_of, plan
from schemas.errors import PermanentError
from schemas.messages import SegmentBatch
from schemas.segments import Remembered, TranslationContext, count_words, normalise
from stream_apps.pipeline.stores import TranslationMemory

# Characters of the first part of a model, and how much larger or smaller the next one may be.
_FIRST_CHARACTERS, _GROWTH = 2000, 4
# Texts of one batch that an engine without device batches gets at once.
_ONE_BY_ONE_TEXTS = 2


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

    def is_one_by_one(self, source: str, target: str) -> bool:
        """Tell whether the engine of a pair translates text by text, so that several at once gain nothing."""

    def translate(
        self, texts: Sequence[str], source: str, target: str, options: Mapping[str, str]
    ) -> Sequence[TranslationOutcome]:
        """Return one outcome for each text. Blocks while the engine works. Raises OutOfMemoryError."""


@dataclass
class OpenBatch:
    """A batch with the answers found so far; None is not answered yet. `busy_seconds` is its engine time."""

    batch: SegmentBatch
    answers: list[SegmentAnswer | None]
    model: str
    busy_seconds: float = 0.0
    is_wanted: bool = True
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.missing = self.answers.count(None)

    def answer(self, segment: int, answer: SegmentAnswer) -> None:
        """Answer a segment; the first answer stays."""
        self.missing -= self.answers[segment] is None
        self.answers[segment] = self.answers[segment] or answer

    def complete(self) -> list[SegmentAnswer]:
        """Return an answer for every segment; a hole shows the source exactly as it was sent."""
        return [
            SegmentAnswer(source, None, cached=False, cause=answer.cause if answer else "not_translated")
            if answer is None or answer.cause
            else answer
            for source, answer in zip(self.batch.texts, self.answers, strict=True)
        ]


class OpenText(NamedTuple):
    """A distinct segment that has to be translated, and the work that knows where it is wanted."""

    work: Work
    text: str

    @property
    def indexes(self) -> list[SegmentIndex]:
        """Return where it is wanted, first come first."""
        return self.work.wanted[self.text]


@dataclass
class Line:
    """The open texts of one engine call after the other, in order of arrival. `context` is without its scope."""

    context: TranslationContext
    texts: deque[OpenText]


@dataclass(frozen=True)
class Part:
    """What the engine gets in one call."""

    line: Line
    texts: Sequence[OpenText]
    model: str
    is_one_by_one: bool

    @property
    def words(self) -> int:
        """Count the words, for the shares of the priorities."""
        return sum(count_words(one.text) for one in self.texts)

    @property
    def characters(self) -> int:
        """Count the characters, which the engine's time depends on."""
        return sum(len(one.text) for one in self.texts)


@dataclass(frozen=True)
class PartResult:
    """What the engine gave. With a `refusal`, the cause why it takes none of this line, there are no outcomes."""

    outcomes: Sequence[TranslationOutcome]
    seconds: float
    refusal: str | None = None


@dataclass
class Workload:
    """Batches that were opened together, and what of them is not translated yet."""

    batches: list[OpenBatch]
    lines: deque[Line]
    spent_seconds: float = 0.0
    _told: set[int] = field(default_factory=set)

    def finished(self) -> Iterator[int]:
        """Yield the index of every batch that has all its answers, once."""
        for index, batch in enumerate(self.batches):
            if batch.missing == 0 and index not in self._told:
                self._told.add(index)
                yield index

    def next_texts(self, line: Line, most_characters: float | None) -> list[OpenText]:
        """Take texts off the line, up to that many characters but one at least; None: some of one batch."""
        texts: list[OpenText] = []
        characters = 0
        while line.texts:
            characters += len(line.texts[0].text)
            if texts and not _fits(texts, line.texts[0], characters, most_characters):
                break
            one = line.texts.popleft()
            if any(self.batches[index.batch].is_wanted for index in one.indexes):
                texts.append(one)
        return texts

    def refuse(self, texts: Iterable[OpenText], cause: str) -> None:
        """Make holes of these texts."""
        for one in texts:
            self.fill(one.indexes, SegmentAnswer(one.text, None, cached=False, cause=cause))

    def fill(
        self, indexes: Sequence[SegmentIndex], first: SegmentAnswer, repeat: SegmentAnswer | None = None
    ) -> None:
        """Answer a segment wherever it is wanted; `repeat` for all but the first place."""
        for count, (batch, segment) in enumerate(indexes):
            self.batches[batch].answer(segment, repeat if count and repeat else first)


@dataclass
class PartSizes:
    """How many characters of each model make a part of that time, learnt from every part. Pure."""

    part_seconds: float
    _characters: dict[str, float] = field(default_factory=dict)

    def of(self, model: str) -> float:
        """Return the characters of the next part."""
        return self._characters.get(model, _FIRST_CHARACTERS)

    def learn(self, model: str, characters: int, seconds: float) -> None:
        """Learn from a part. One that was short for want of texts says nothing against larger ones."""
        size = self.of(model)
        factor = self.part_seconds / seconds if seconds > 0 else _GROWTH
        if factor < 1:
            self._characters[model] = max(characters * factor, size / _GROWTH, 1)
        elif characters >= size / 2:
            self._characters[model] = size * min(factor, _GROWTH)


@dataclass
class BatchAnswers:
    """The answers, the model and the engine's seconds of each batch."""

    answers: list[list[SegmentAnswer]]
    models: list[str]
    busy_seconds: list[float]


@dataclass
class SegmentTranslator:
    """Memory and engine together. `clock` counts seconds. For one thread, except `run`.

    Segments that are not translated after `longest_seconds` of the engine's time for one workload become holes
    with the cause `out_of_time`. Some texts take an engine a hundred times longer than prose; work that is held
    for too long is dropped and comes again, and would so for ever.
    """

    translator: Translator
    memory: TranslationMemory
    clock: Callable[[], float]
    longest_seconds: float = 45.0
    part_seconds: float = 0.25
    _sizes: PartSizes = field(init=False)
    _learnt: dict[str, Remembered] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._sizes = PartSizes(self.part_seconds)

    def open(self, batches: Sequence[SegmentBatch]) -> Workload:
        """Answer what intake or the memory knows. One round trip, none where nothing is open."""
        normalised = [[normalise(text) for text in batch.texts] for batch in batches]
        known = [[_given(batch, at) for at in range(len(batch.texts))] for batch in batches]
        opened = [
            OpenBatch(batch, answers, self._model(batch)) for batch, answers in zip(batches, known, strict=True)
        ]
        works = plan(batches, normalised)
        workload = Workload(opened, deque())
        self._recall(works, workload)
        workload.lines = _lines(works)
        return workload

    def next_part(self, workload: Workload, within: TranslationContext | None = None) -> Part | None:
        """Take the next part off the workload; None when nothing of it is left, or of the context `within`."""
        while workload.lines:
            line = workload.lines[0]
            if within is not None and line.context != within:
                return None
            if workload.spent_seconds >= self.longest_seconds:
                self._refuse(workload, line, "out_of_time")
                continue
            try:
                model, most = self._limit(line.context)
            except PermanentError as error:
                self._refuse(workload, line, error.cause)
                continue
            texts = workload.next_texts(line, most)
            if not line.texts:
                workload.lines.popleft()
            if texts:
                is_one_by_one = most is None
                return Part(
                    line, texts if is_one_by_one else sorted(texts, key=_longest_first), model, is_one_by_one
                )
        return None

    def run(self, part: Part) -> PartResult:
        """Translate it. Blocks while the engine works. Raises TransientError or FatalError."""
        context, before = part.line.context, self.clock()
        texts, options = [one.text for one in part.texts], dict(context.engine_options)
        try:
            outcomes = self.translator.translate(texts, context.source, context.target, options)
        except PermanentError as error:
            return PartResult((), self.clock() - before, error.cause)
        return PartResult(outcomes, self.clock() - before)

    def note(self, workload: Workload, part: Part, result: PartResult) -> None:
        """Put the outcomes of a part where they are wanted; what was learnt is known from now on."""
        workload.spent_seconds += result.seconds
        _share_effort(workload, part, result.seconds)
        if result.refusal is not None:
            workload.refuse(part.texts, result.refusal)
            workload.refuse(part.line.texts, result.refusal)
            part.line.texts.clear()
            return
        self._sizes.learn(part.model, part.characters, result.seconds)
        for one, outcome in zip(part.texts, result.outcomes, strict=True):
            if outcome.cause is None:
                self._learnt[one.work.keys[one.text]] = Remembered(outcome.text, outcome.score)
            first = SegmentAnswer(outcome.text, outcome.score, cached=False, cause=outcome.cause)
            repeat = SegmentAnswer(outcome.text, outcome.score, cached=outcome.cause is None, cause=outcome.cause)
            workload.fill(one.indexes, first, repeat)

    def remember(self) -> None:
        """Put what was learnt into the memory. Losing it costs a second translation, nothing else."""
        learnt, self._learnt = self._learnt, {}
        self.memory.put_many(learnt)

    def translate(self, batches: Sequence[SegmentBatch]) -> BatchAnswers:
        """Answer every segment of every batch; a hole is an answer with a cause. Raises TransientError."""
        workload = self.open(batches)
        while part := self.next_part(workload):
            self.note(workload, part, self.run(part))
        done = workload.batches
        return BatchAnswers(
            [one.complete() for one in done], [one.model for one in done], [one.busy_seconds for one in done]
        )

    def _model(self, batch: SegmentBatch) -> str:
        pair = pair_of(batch)
        try:
            return self.translator.version_of(pair.source, pair.target)
        except PermanentError:
            return ""

    def _limit(self, context: TranslationContext) -> tuple[str, float | None]:
        """Return the model and how many characters make a part; None for an engine that goes text by text.

        Raises PermanentError when no model serves the pair.
        """
        model = self.translator.version_of(context.source, context.target)
        is_one_by_one = self.translator.is_one_by_one(context.source, context.target)
        return model, None if is_one_by_one else self._sizes.of(model)

    def _refuse(self, workload: Workload, line: Line, cause: str) -> None:
        workload.refuse(line.texts, cause)
        workload.lines.popleft()

    def _recall(self, works: Sequence[Work], workload: Workload) -> None:
        # Intake looked these up too, but perhaps minutes ago; another request may have had the same text since.
        for work in works:
            work.keys = self._keys(work)
        found = self._known([key for work in works for key in work.keys.values()])
        for work in works:
            for text, key in work.keys.items():
                if (remembered := found[key]) is not None:
                    answer = SegmentAnswer(remembered.text, remembered.score, cached=True)
                    workload.fill(work.wanted.pop(text), answer)

    def _known(self, keys: Sequence[str]) -> dict[str, Remembered | None]:
        found: dict[str, Remembered | None] = {key: self._learnt.get(key) for key in keys}
        unknown = [key for key, remembered in found.items() if remembered is None]
        if unknown:
            found |= zip(unknown, self.memory.get_many(unknown), strict=True)
        return found

    def _keys(self, work: Work) -> dict[str, str]:
        try:
            model = self.translator.version_of(work.context.source, work.context.target)
        except PermanentError:
            return {}
        return dict(zip(work.wanted, work.context.memory_keys(model, work.wanted), strict=True))


def _given(batch: SegmentBatch, at: int) -> SegmentAnswer | None:
    """Return the answer that intake found in the translation memory, if it did."""
    filled = batch.translations[at]
    return None if filled is None else SegmentAnswer(filled, batch.scores[at], cached=True)


def _lines(works: Sequence[Work]) -> deque[Line]:
    """Put together what one call of the engine may hold: everything alike but who may share the memory of it."""
    lines: dict[TranslationContext, list[OpenText]] = {}
    for work in works:
        line = lines.setdefault(replace(work.context, scope=""), [])
        line += [OpenText(work, text) for text in work.wanted]
    return deque(
        Line(context, deque(sorted(texts, key=lambda one: one.indexes[0])))
        for context, texts in lines.items()
        if texts
    )


def _fits(texts: Sequence[OpenText], another: OpenText, characters: int, most_characters: float | None) -> bool:
    if most_characters is not None:
        return characters <= most_characters
    is_same_batch = another.indexes[0].batch == texts[0].indexes[0].batch
    return is_same_batch and len(texts) < _ONE_BY_ONE_TEXTS


def _longest_first(one: OpenText) -> tuple[int, str]:
    """Sort so that neighbours in a device batch need equal padding."""
    return -len(one.text), one.text


def _share_effort(workload: Workload, part: Part, seconds: float) -> None:
    # The batch that brought a segment first pays for it, by length; repeats are free.
    characters = part.characters or 1
    for one in part.texts:
        workload.batches[one.indexes[0].batch].busy_seconds += seconds * len(one.text) / characters

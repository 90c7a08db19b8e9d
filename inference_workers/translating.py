"""Answer the segments of batches: from the translation memory where it knows them, else by the engine, once.

`SegmentTranslator.open` looks all segments of the batches up in one round trip. What is left is cut into parts of
at most `part_seconds` of the engine's time and one call of it, so that whoever works through them can turn to more
urgent work between two parts, and send each batch when its last segment is done. A text that needs several calls
stands at the head of its line until it has an outcome.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from inference_workers.answers import SegmentAnswer
from inference_workers.batching import Work, pair_of, plan
from inference_workers.fidelity import Dialogue, Outcome
from inference_workers.fidelity.dialogue import lead_to_the_end
from inference_workers.workload import (
    Line,
    OpenBatch,
    OpenText,
    Part,
    PartResult,
    PartSizes,
    Workload,
    lines_of,
    longest_first,
    share_effort,
)
from schemas.errors import PermanentError
from schemas.messages import SegmentBatch
from schemas.segments import Remembered, TranslationContext, normalise
from stream_apps.pipeline.stores import TranslationMemory

# Characters of the first part of a model.
_FIRST_CHARACTERS = 2000
# Parts of an engine that goes text by text are by this factor smaller: urgent work waits for one of them. Most
# sentences take such an engine longer than that, and are parts of their own then.
_SHORTER = 12
# They take some milliseconds together, for which urgent work waits.
_BEGUN_AHEAD = 32


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

    def advance(self, dialogues: Sequence[Dialogue[Outcome]], context: TranslationContext) -> None:
        """Call the engine once for dialogues of one context, which leads each on or lets it wait. Blocks.

        Raises OutOfMemoryError, EngineError, and PermanentError for a bad option.
        """


def outcomes_of(translator: Translator, texts: Sequence[str], context: TranslationContext) -> list[Outcome]:
    """Translate texts to the end, and return an outcome for each. Blocks and raises as the translator does."""
    return lead_to_the_end(translator.begin(texts, context), lambda waiting: translator.advance(waiting, context))


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
    _long: PartSizes = field(init=False)
    _short: PartSizes = field(init=False)
    _learnt: dict[str, Remembered] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._long = PartSizes(self.part_seconds, _FIRST_CHARACTERS)
        # Several texts at once gain such an engine nothing but fewer turns.
        self._short = PartSizes(self.part_seconds / _SHORTER, _FIRST_CHARACTERS / _SHORTER)

    def open(self, batches: Sequence[SegmentBatch]) -> Workload:
        """Answer what intake or the memory knows. One round trip, none where nothing is open."""
        normalised = [
            [normalise(text, has_codes=batch.job.inline_codes) for text in batch.texts] for batch in batches
        ]
        known = [[_given(batch, at) for at in range(len(batch.texts))] for batch in batches]
        opened = [
            OpenBatch(batch, answers, self._model(batch)) for batch, answers in zip(batches, known, strict=True)
        ]
        works = plan(batches, normalised)
        workload = Workload(opened, deque())
        self._recall(works, workload)
        workload.lines = lines_of(works)
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
                model, sizes = self._sizes_of(line.context)
            except PermanentError as error:
                self._refuse(workload, line, error.cause)
                continue
            texts = workload.next_texts(line, sizes.of(model))
            if not line.texts:
                workload.lines.popleft()
            if texts:
                is_one_by_one = sizes is self._short
                return Part(
                    line, texts if is_one_by_one else sorted(texts, key=longest_first), model, is_one_by_one
                )
        return None

    def run(self, part: Part) -> PartResult:
        """Lead its texts one call of the engine on. Blocks meanwhile. Raises TransientError or FatalError."""
        before, refusal = self.clock(), None
        try:
            waiting = [one for one in self._dialogues(part) if one.outcome is None]
            if waiting:
                self.translator.advance(waiting, part.line.context)
        except PermanentError as error:
            refusal = error.cause
        return PartResult(self.clock() - before, refusal)

    def note(self, workload: Workload, part: Part, result: PartResult) -> None:
        """Put the outcomes of a part where they are wanted, and what has none yet at the head of its line.

        What was learnt is known from now on.
        """
        workload.spent_seconds += result.seconds
        share_effort(workload, part, result.seconds)
        if result.refusal is not None:
            workload.refuse(part.texts, result.refusal)
            workload.refuse(part.line.texts, result.refusal)
            part.line.texts.clear()
            return
        sizes = self._short if part.is_one_by_one else self._long
        sizes.learn(part.model, part.characters, result.seconds)
        workload.put_back(part.line, [one for one in part.texts if one.dialogue and not one.dialogue.outcome])
        for one in part.texts:
            if one.dialogue and one.dialogue.outcome:
                self._fill(workload, one, one.dialogue.outcome)

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

    def _sizes_of(self, context: TranslationContext) -> tuple[str, PartSizes]:
        """Return the model and how large its parts are. Raises PermanentError when no model serves the pair."""
        model = self.translator.version_of(context.source, context.target)
        is_one_by_one = self.translator.is_one_by_one(context.source, context.target)
        return model, self._short if is_one_by_one else self._long

    def _dialogues(self, part: Part) -> list[Dialogue[Outcome]]:
        if any(one.dialogue is None for one in part.texts):
            self._begin(part)
        return [one.dialogue for one in part.texts if one.dialogue]

    def _begin(self, part: Part) -> None:
        new = [one for one in (*part.texts, *_ahead(part)) if one.dialogue is None]
        begun = self.translator.begin([one.text for one in new], part.line.context)
        for one, dialogue in zip(new, begun, strict=True):
            one.dialogue = dialogue

    def _fill(self, workload: Workload, one: OpenText, outcome: Outcome) -> None:
        # What is doubtful is remembered with its warning: asked again, the same model would say the same.
        if outcome.cause is None:
            remembered = Remembered(outcome.text, outcome.score, outcome.warning)
            self._learnt[one.work.keys[one.text]] = remembered
        first = SegmentAnswer(outcome.text, outcome.score, False, outcome.cause, outcome.warning)
        repeat = replace(first, cached=outcome.cause is None) if len(one.indexes) > 1 else None
        workload.fill(one.indexes, first, repeat)

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
                    answer = SegmentAnswer(
                        remembered.text, remembered.score, cached=True, warning=remembered.warning
                    )
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


def _ahead(part: Part) -> Iterator[OpenText]:
    """Return what is begun together with a part of an engine that goes text by text.

    Between two sentences an engine has filled the caches of its core: texts that are begun together take a third
    of the time of texts that are begun one by one.
    """
    return islice(part.line.texts, _BEGUN_AHEAD if part.is_one_by_one else 0)


def _given(batch: SegmentBatch, at: int) -> SegmentAnswer | None:
    """Return the answer that intake found in the translation memory, if it did."""
    filled = batch.translations[at]
    warning = batch.warnings[at] if batch.warnings else None
    return None if filled is None else SegmentAnswer(filled, batch.scores[at], cached=True, warning=warning)

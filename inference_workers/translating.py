"""Answer the segments of batches: from the translation memory where it knows them, else by the engine, once.

`SegmentTranslator.open` looks all segments of the batches up in one round trip. What is left is cut into parts of
at most `part_seconds` of the engine's time and one call of it, so that whoever works through them can turn to more
urgent work between two parts, and send each batch when its last segment is done. A part of an engine that goes
text by text is of one batch, and ends after the text in hand where more urgent work waits. A text that needs
several calls stands at the head of its line until it has an outcome.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from inference_workers.answers import SegmentAnswer
from inference_workers.batching import Work, pair_of, plan
from inference_workers.fidelity import Dialogue, Outcome, ShouldStop
from inference_workers.translator import Translator
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
# How often an engine that goes text by text asks between two of them whether more urgent work waits: not each time
# where it takes a moment for one.
_LOOK_SECONDS = 0.01


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
        self._sizes = PartSizes(self.part_seconds, _FIRST_CHARACTERS)

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
                part = self._part(workload, line)
            except PermanentError as error:
                self._refuse(workload, line, error.cause)
                continue
            if not line.texts:
                workload.lines.popleft()
            if part.texts:
                return part
        return None

    def run(self, part: Part, is_urgent: ShouldStop | None = None) -> PartResult:
        """Lead its texts one call of the engine on. Blocks meanwhile. Raises TransientError or FatalError.

        An engine that goes text by text stops where more urgent work waits, and after `part_seconds`.
        """
        before = self.clock()
        try:
            waiting = [one for one in self._dialogues(part) if one.outcome is None]
            asked = [one.question for one in waiting]
            if waiting:
                should_stop = self._stop_at(before, is_urgent) if part.is_one_by_one else None
                self.translator.advance(waiting, part.line.context, should_stop)
        except PermanentError as error:
            return PartResult(self.clock() - before, error.cause)
        left = {one for one, question in zip(waiting, asked, strict=True) if one.question is question}
        return PartResult(self.clock() - before, left=[one for one in part.texts if one.dialogue in left])

    def note(self, workload: Workload, part: Part, result: PartResult) -> None:
        """Put the outcomes of a part where they are wanted, and what has none yet at the head of its line.

        What was learnt is known from now on.
        """
        part = part.without(result.left)
        workload.spent_seconds += result.seconds
        share_effort(workload, part, result.seconds)
        if result.refusal is not None:
            workload.refuse(part.texts, result.refusal)
            workload.refuse(part.line.texts, result.refusal)
            part.line.texts.clear()
            return
        self._sizes.learn(part.model, part.characters, result.seconds)
        unfinished = [one for one in part.texts if one.dialogue and not one.dialogue.outcome]
        workload.put_back(part.line, [*unfinished, *result.left])
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

    def _part(self, workload: Workload, line: Line) -> Part:
        """Take a part off the line, perhaps one without texts. Raises PermanentError when no model serves it."""
        source, target = line.context.source, line.context.target
        model = self.translator.version_of(source, target)
        if self.translator.is_one_by_one(source, target):
            return Part(line, workload.next_of_one_batch(line), model, is_one_by_one=True)
        texts = workload.next_texts(line, self._sizes.of(model))
        return Part(line, sorted(texts, key=longest_first), model, is_one_by_one=False)

    def _dialogues(self, part: Part) -> list[Dialogue[Outcome]]:
        new = [one for one in part.texts if one.dialogue is None]
        begun = self.translator.begin([one.text for one in new], part.line.context) if new else []
        for one, dialogue in zip(new, begun, strict=True):
            one.dialogue = dialogue
        return [one.dialogue for one in part.texts if one.dialogue]

    def _stop_at(self, began: float, is_urgent: ShouldStop | None) -> ShouldStop:
        """Return what to ask between two texts: whether the part has lasted long, or more urgent work waits."""
        looked_at = began

        def should_stop() -> bool:
            nonlocal looked_at
            now = self.clock()
            if now - began >= self.part_seconds:
                return True
            if is_urgent is None or now - looked_at < _LOOK_SECONDS:
                return False
            looked_at = now
            return is_urgent()

        return should_stop

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


def _given(batch: SegmentBatch, at: int) -> SegmentAnswer | None:
    """Return the answer that intake found in the translation memory, if it did."""
    filled = batch.translations[at]
    warning = batch.warnings[at] if batch.warnings else None
    return None if filled is None else SegmentAnswer(filled, batch.scores[at], cached=True, warning=warning)

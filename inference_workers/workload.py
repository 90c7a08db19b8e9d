"""What of opened batches is not translated yet, and how it is cut into parts. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from inference_workers.answers import SegmentAnswer
from inference_workers.batching import SegmentIndex, Work
from inference_workers.fidelity import Dialogue, Outcome
from schemas.messages import SegmentBatch
from schemas.segments import TranslationContext, count_words

# How much larger or smaller than the last one a part may be.
_GROWTH = 4


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


@dataclass(eq=False)
class OpenText:
    """A distinct segment that has to be translated, and the work that knows where it is wanted.

    It has its dialogue with the engine from its first part on.
    """

    work: Work
    text: str
    dialogue: Dialogue[Outcome] | None = None

    @property
    def indexes(self) -> list[SegmentIndex]:
        """Return where it is wanted, first come first."""
        return self.work.wanted[self.text]


@dataclass(eq=False)
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

    def without(self, left: Sequence[OpenText]) -> "Part":
        """Return the part without these texts."""
        without = set(left)
        return replace(self, texts=[one for one in self.texts if one not in without]) if left else self

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
    """How long the engine took. A `refusal` is the cause why it takes none of this line.

    `left` are texts of the part that it was not asked for, or did not come to: they wait as before.
    """

    seconds: float
    refusal: str | None = None
    left: Sequence[OpenText] = ()


@dataclass
class Workload:
    """Batches that were opened together, and what of them is not translated yet."""

    batches: list[OpenBatch]
    lines: deque[Line]
    spent_seconds: float = 0.0
    _finished: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._finished = [index for index, batch in enumerate(self.batches) if batch.missing == 0]

    def finished(self) -> Sequence[int]:
        """Return the index of every batch that has all its answers, once, in their order."""
        finished, self._finished = sorted(self._finished), []
        return finished

    def next_texts(self, line: Line, most_characters: float) -> list[OpenText]:
        """Take texts off the line, up to that many characters but one at least."""
        texts: list[OpenText] = []
        characters = 0
        while line.texts:
            characters += len(line.texts[0].text)
            if texts and characters > most_characters:
                break
            self._take_first(line, texts)
        return texts

    def next_of_one_batch(self, line: Line) -> list[OpenText]:
        """Take texts off the line, all that were brought by the batch of the first."""
        texts: list[OpenText] = []
        while line.texts and (not texts or line.texts[0].indexes[0].batch == texts[0].indexes[0].batch):
            self._take_first(line, texts)
        return texts

    def _take_first(self, line: Line, texts: list[OpenText]) -> None:
        one = line.texts.popleft()
        if any(self.batches[index.batch].is_wanted for index in one.indexes):
            texts.append(one)

    def put_back(self, line: Line, texts: Sequence[OpenText]) -> None:
        """Have texts translated next whose dialogue with the engine goes on."""
        if texts and line not in self.lines:
            self.lines.appendleft(line)
        line.texts.extendleft(reversed(texts))

    def refuse(self, texts: Iterable[OpenText], cause: str) -> None:
        """Make holes of these texts."""
        for one in texts:
            self.fill(one.indexes, SegmentAnswer(one.text, None, cached=False, cause=cause))

    def fill(
        self, indexes: Sequence[SegmentIndex], first: SegmentAnswer, repeat: SegmentAnswer | None = None
    ) -> None:
        """Answer a segment wherever it is wanted; `repeat` for all but the first place."""
        for count, (index, segment) in enumerate(indexes):
            batch = self.batches[index]
            was_open = batch.missing > 0
            batch.answer(segment, repeat if count and repeat else first)
            if was_open and batch.missing == 0:
                self._finished.append(index)


@dataclass
class PartSizes:
    """How many characters of each model make a part of that time, learnt from every part. Pure."""

    part_seconds: float
    first_characters: float
    _characters: dict[str, float] = field(default_factory=dict)

    def of(self, model: str) -> float:
        """Return the characters of the next part."""
        return self._characters.get(model, self.first_characters)

    def learn(self, model: str, characters: int, seconds: float) -> None:
        """Learn from a part. One that was short for want of texts says nothing against larger ones."""
        size = self.of(model)
        factor = self.part_seconds / seconds if seconds > 0 else _GROWTH
        if factor < 1:
            self._characters[model] = max(characters * factor, size / _GROWTH, 1)
        elif characters >= size / 2:
            self._characters[model] = size * min(factor, _GROWTH)


def lines_of(works: Sequence[Work]) -> deque[Line]:
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


def longest_first(one: OpenText) -> tuple[int, str]:
    """Return a key that sorts so that neighbours in a device batch need equal padding."""
    return -len(one.text), one.text


def share_effort(workload: Workload, part: Part, seconds: float) -> None:
    """Add the engine's time to batches. The one that brought a segment first pays for it, by length."""
    characters = part.characters or 1
    for one in part.texts:
        workload.batches[one.indexes[0].batch].busy_seconds += seconds * len(one.text) / characters

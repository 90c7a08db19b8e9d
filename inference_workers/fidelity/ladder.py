"""Lead a text through the attempts to translate it, from the least hidden to the most. Pure.

1. Hide what must not change behind masks, and translate. Block tags part sentences.
2. Accept a translation if every mask is there once, if it has no flaw (empty, a repetition loop, without its end),
   and if nothing in it is doubtful (figures that differ, the source repeated, an unlikely length).
3. Translate the others again: without the marks of emphasised words, put around them afterwards; with all spans
   hidden, with figures hidden too where they were wrong, then with the next style of mask.
4. Then translate the stretches between the masks one by one.
5. What is still flawed or doubtful is translated under other options, if the engine has any (`other_decoding`).
6. What is so even then, or was too long, is cut in two at the end of a clause, and each half begins anew.
7. What is flawed even so is a hole with its cause; what is doubtful has a warning.

Most texts end with the first attempt.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import emphasis, flaws
from inference_workers.fidelity.blocks import Blocks, blocks_of
from inference_workers.fidelity.clauses import Halves, cut_in_two, joined
from inference_workers.fidelity.dialogue import Attempted, Dialogue, EngineOptions, Question, Steps, side_by_side
from inference_workers.fidelity.masking import Hiding, Masker, any_character
from inference_workers.fidelity.outcomes import Outcome, least, together
from inference_workers.fidelity.own_spans import OwnSpans
from inference_workers.fidelity.parts import Parts
from inference_workers.fidelity.projection import projected
from inference_workers.fidelity.tasks import Task, flaw_in, loud
from inference_workers.fidelity.typography import has_signs
from schemas.coded_text import has_codes
from schemas.segments import trimmed

# Characters that are never cut in two: what goes wrong with them is not their length.
_SHORTEST = 16


class Speller:
    """Spells a text as the model does."""

    def __init__(self, traits: Traits) -> None:
        self._spellings = str.maketrans(dict(traits.spellings))
        self._spelt_otherwise = re.compile(any_character(traits.spellings))

    def spelt(self, parts: Parts) -> Parts:
        """Return the parts with the model's characters in what it is to translate."""
        # Translating a text character by character takes ten times as long as looking for the few that change.
        if not any(map(self._spelt_otherwise.search, parts.plain)):
            return parts
        typed = parts.plain if any(map(has_signs, parts.plain)) else ()
        return parts._replace(plain=tuple(piece.translate(self._spellings) for piece in parts.plain), typed=typed)


@dataclass(frozen=True)
class Ladder:
    """The steps of any text of one context. For translation.py."""

    traits: Traits
    options: EngineOptions
    masker: Masker
    own: OwnSpans | None
    speller: Speller
    bounds: flaws.LengthBounds

    def begun(self, text: str) -> Dialogue[Outcome]:
        """Begin a text. Most are one sentence, whose first translation is sound: these need no steps."""
        if has_codes(text) or self._widened(text) != text or self._blocks(text):
            return Dialogue(text, projected(text, self.steps))
        task = self._task(text)
        if untouched := self._untouched(task):
            return Dialogue(text, outcome=untouched)
        return Attempted(text, _FirstAttempt(self, task))

    def steps(self, text: str) -> Steps[Outcome]:
        """Translate a text in which words may be emphasised by half."""
        words = self._widened(text)
        if words == text:
            return (yield from self._parted(text))
        outcome = yield from self._parted(words)
        is_same = outcome.cause is not None or outcome.text == words
        return outcome._replace(text=text) if is_same else outcome

    def _widened(self, text: str) -> str:
        has_own = self.own is not None and self.own.pattern is not None
        return text if has_own else emphasis.widened(text)

    def _parted(self, text: str) -> Steps[Outcome]:
        """Translate a text in which block tags may part sentences."""
        blocks = self._blocks(text)
        if blocks is None:
            return (yield from self._sentence(text))
        parts = yield from side_by_side([(stretch, self._sentence(stretch)) for stretch in blocks.texts])
        return together(text, blocks.around([part.text for part in parts]), parts)

    def _blocks(self, text: str) -> Blocks | None:
        return blocks_of(self._cut(text)) if "<" in text else None

    def _taken(self, text: str, hiding: Hiding = Hiding.SPANS) -> Parts:
        return self.masker.take_apart(text, self.own, hiding)

    def _cut(self, text: str, hiding: Hiding = Hiding.SPANS) -> Parts:
        """Take a text apart that goes through all of this in pieces: terms of the glossary stay until then."""
        own = self.own and replace(self.own, glossary=None)
        return self.masker.take_apart(text, own, hiding)

    def _sentence(self, text: str) -> Steps[Outcome]:
        outcome = yield from self._whole(text)
        return outcome if outcome.is_sound else (yield from self._otherwise(text, outcome))

    def after_first(self, task: Task, outcome: Outcome | None) -> Steps[Outcome]:
        """Go on with a sentence that was translated once; `outcome` is what came of it, if anything did."""
        outcome = outcome or (yield from self._again(task))
        return outcome if outcome.is_sound else (yield from self._otherwise(task.source, outcome))

    def _otherwise(self, text: str, outcome: Outcome) -> Steps[Outcome]:
        """Translate what is not sound under other options, and in halves."""
        if outcome.may_differ:
            outcome = yield from self._decoded_otherwise(text, outcome)
        if not outcome.is_sound and (halves := self._halves(text)):
            # What is too long is halved until it is short enough; others have other reasons and get one more try.
            again = self._sentence if outcome.cause == flaws.TRUNCATED else self._whole
            outcome = yield from self._halved(text, halves, outcome, again)
        return outcome

    def _decoded_otherwise(self, text: str, before: Outcome) -> Steps[Outcome]:
        """Translate what went wrong, but not for its length, once more under other options of the engine."""
        options = {**self.options, **self.traits.other_decoding}
        if options == self.options:
            return before
        after = yield from replace(self, options=options)._whole(text)
        return after._replace(attempts=before.attempts + after.attempts) if after.is_sound else before

    def _halves(self, text: str) -> Halves | None:
        return cut_in_two(text, self._cut(text)) if len(text) >= 2 * _SHORTEST else None

    def _halved(
        self, text: str, halves: Halves, before: Outcome, again: Callable[[str], Steps[Outcome]]
    ) -> Steps[Outcome]:
        """Translate the halves, and return what comes of it where it is better than the outcome before."""
        pieces = (halves.first, halves.second)
        parts = yield from side_by_side([(piece, again(piece)) for piece in pieces])
        after = together(text, joined(halves, parts[0].text, parts[1].text), parts, before.attempts)
        return after if before.cause or after.is_sound else before

    def _whole(self, text: str) -> Steps[Outcome]:
        task = self._task(text)
        if untouched := self._untouched(task):
            return untouched
        outcome = yield from self._with_masks(task, self.traits.mask_styles[0])
        return outcome or (yield from self._again(task))

    def _again(self, task: Task) -> Steps[Outcome]:
        """Translate a text whose first translation lost something, with more and more of it hidden."""
        outcome = yield from self._with_emphasis_placed(task)
        for style in self.traits.mask_styles:
            for hiding in (Hiding.SPANS, Hiding.FIGURES):
                # One mask more makes it harder to keep the others: figures are hidden where they were wrong.
                if outcome is None and (hiding is Hiding.SPANS or task.has_wrong_figures):
                    self._retake(task, hiding)
                    outcome = yield from self._with_masks(task, style)
        return outcome or (yield from self._around_masks(task))

    def _with_emphasis_placed(self, task: Task) -> Steps[Outcome | None]:
        """Translate a text without the marks of emphasised words, and put them around these afterwards."""
        if not task.parts.emphasis or has_codes(task.source):
            return None
        parts = self._cut(task.source, Hiding.FEW)
        text = emphasis.coded(parts.plain, parts.hidden, parts.emphasis)
        if text is None:
            return None
        outcome = yield from projected(text, self._whole)
        outcome = outcome._replace(text=emphasis.decoded(outcome.text, parts.plain))
        return outcome._replace(attempts=outcome.attempts + 1) if outcome.is_sound else None

    def _retake(self, task: Task, hiding: Hiding) -> None:
        task.retake(self.speller.spelt(self._taken(task.source, hiding)))

    def _task(self, text: str) -> Task:
        parts = self._taken(text, Hiding.FEW)
        task = Task.of(text, parts, self.speller.spelt(parts))
        if task.is_shouted and task.parts.left:
            # Small letters would change what is left.
            self._retake(task, Hiding.SPANS)
        return task

    def _untouched(self, task: Task) -> Outcome | None:
        """Return the outcome of a text that no engine should see."""
        if task.parts.is_crowded:
            return Outcome(task.source, None, attempts=0, warning=flaws.TOO_MANY_SPANS)
        score = 1.0 if self.traits.gives_scores else None
        is_for_engine = task.parts.has_words and not task.is_acronym
        return None if is_for_engine else Outcome(task.kept, score, attempts=0)

    def _with_masks(self, task: Task, style: str) -> Steps[Outcome | None]:
        disguise = task.next_disguise(style)
        if disguise is None:
            return None
        (translation,) = yield Question([disguise.sent], self.options)
        return task.verdict(disguise, translation, self.bounds)

    def _around_masks(self, task: Task) -> Steps[Outcome]:
        """Translate each stretch between masks by itself. Grammar suffers, but no hidden piece can be lost."""
        first = task.best
        for hiding in (Hiding.SPANS, Hiding.FIGURES):
            self._retake(task, hiding)
            if not task.parts.hidden:
                continue
            outcome = yield from self._stretch_by_stretch(task)
            if outcome.is_sound:
                return outcome
            first = first or outcome
        return first or Outcome(task.source, None, flaws.EMPTY, len(task.asked))

    def _stretch_by_stretch(self, task: Task) -> Steps[Outcome]:
        attempt = len(task.asked) + 1
        pieces = [trimmed(plain) for plain in task.parts.plain]
        wanted = [piece.words for piece in pieces if _has_letters(piece.words)]
        found = (yield Question(wanted, self.options)) if wanted else []
        flaw = next(filter(None, (flaw_in(*one, self.bounds) for one in zip(wanted, found, strict=True))), None)
        if flaw:
            return Outcome(task.source, None, flaw, attempt)
        said = iter(loud(one.text.strip(), is_shouted=task.is_shouted) for one in found)
        texts = [piece.around(next(said) if _has_letters(piece.words) else piece.words) for piece in pieces]
        doubt = flaws.doubt_of(task.parts.plain, texts, self.bounds)
        return Outcome(_interleaved(texts, task.parts), least([one.score for one in found]), None, attempt, doubt)


class _FirstAttempt:
    """The first question about a sentence, and what becomes of the answer. Implements dialogue.Attempt."""

    __slots__ = ("_disguise", "_ladder", "_outcome", "_task", "question")

    def __init__(self, ladder: Ladder, task: Task) -> None:
        self._ladder, self._task = ladder, task
        self._disguise = task.first_disguise(ladder.traits.mask_styles[0])
        self._outcome: Outcome | None = None
        self.question = Question((self._disguise.sent,), ladder.options)

    def outcome(self, translations: Sequence[Translation]) -> Outcome | None:
        """Return the outcome if it is sound."""
        (translation,) = translations
        self._outcome = self._task.verdict(self._disguise, translation, self._ladder.bounds)
        return self._outcome if self._outcome and self._outcome.is_sound else None

    def steps(self) -> Steps[Outcome]:
        """Go on."""
        return self._ladder.after_first(self._task, self._outcome)


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _interleaved(texts: Sequence[str], parts: Parts) -> str:
    return texts[0] + "".join(hidden + text for hidden, text in zip(parts.hidden, texts[1:], strict=True))

"""Translate through one engine, keep what must not change, refuse what is no translation, mark what is doubtful.

1. Hide what must not change behind masks, and translate. Block tags part sentences.
2. Accept a translation if every mask is there once, if it has no flaw (empty, a repetition loop, without its end),
   and if nothing in it is doubtful (figures that differ, the source repeated, an unlikely length).
3. Translate the others again: with all spans hidden, with figures hidden too where they were wrong, then with the
   next style of mask.
4. Then translate the stretches between the masks one by one.
5. What is still flawed or doubtful is translated under other options, if the engine has any (`other_decoding`).
6. What is so even then, or was too long, is cut in two at the end of a clause, and each half begins anew.
7. What is flawed even so is a hole with its cause; what is doubtful has a warning.

Each step but the fourth takes all texts that need it in one call to the engine.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inference_workers.engines.protocol import Engine, Traits
from inference_workers.fidelity import flaws
from inference_workers.fidelity.blocks import Blocks, blocks_of
from inference_workers.fidelity.clauses import Halves, cut_in_two, joined
from inference_workers.fidelity.masking import Hiding, Masker, any_character
from inference_workers.fidelity.outcomes import Outcome, least, together
from inference_workers.fidelity.own_spans import OwnSpans, own_spans
from inference_workers.fidelity.parts import Parts
from inference_workers.fidelity.projection import projected
from inference_workers.fidelity.tasks import Task, flaw_in, loud
from schemas.languages import LanguagePair
from schemas.segments import trimmed
from schemas.terms import NO_TERMS
from schemas.validity import PATTERN_OPTION

# Characters that are never cut in two: what goes wrong with them is not their length.
_SHORTEST = 16

EngineOptions = Mapping[str, str]


class Fidelity:
    """The layer around one engine. For one thread; the engine belongs to the caller.

    `pair` tells how long translations may be; without it the bounds are wide.
    """

    def __init__(self, engine: Engine, pair: LanguagePair | None = None) -> None:
        self._engine = engine
        self._bounds = flaws.bounds_of(pair)
        self._masker = Masker(engine.traits.unseen, engine.traits.spellings)
        self._speller = _Speller(engine.traits)

    @property
    def is_one_by_one(self) -> bool:
        """Tell whether several texts at once gain nothing."""
        return self._engine.traits.is_one_by_one

    def spans(self, text: str) -> tuple[str, ...]:
        """Return what of a text is hidden from the engine."""
        return self._masker.take_apart(text).hidden

    def translate(
        self,
        texts: Sequence[str],
        options: EngineOptions,
        terms: Sequence[str] = (),
        glossary: Mapping[str, str] = NO_TERMS,
    ) -> list[Outcome]:
        """Return one outcome per text, in order. Blocks and raises as the engine does.

        `terms` stay as they are; those of the glossary become what it says.
        Raises PermanentError for a `placeholder_pattern` among the options that is none.
        """
        own = own_spans(terms, options, glossary)
        rest = {name: value for name, value in options.items() if name != PATTERN_OPTION}
        call = _Call(self._engine, rest, self._masker, own, self._speller, self._bounds)
        return projected(texts, call.translate)


class _Speller:
    """Spells a text as the model does."""

    def __init__(self, traits: Traits) -> None:
        self._spellings = str.maketrans(dict(traits.spellings))
        self._spelt_otherwise = re.compile(any_character(traits.spellings))

    def spelt(self, parts: Parts) -> Parts:
        # Translating a text character by character takes ten times as long as looking for the few that change.
        if not any(map(self._spelt_otherwise.search, parts.plain)):
            return parts
        return replace(parts, plain=tuple(piece.translate(self._spellings) for piece in parts.plain))


@dataclass(frozen=True)
class _Call:
    """Texts of one context on their way through the steps."""

    engine: Engine
    options: EngineOptions
    masker: Masker
    own: OwnSpans | None
    speller: _Speller
    bounds: flaws.LengthBounds

    def translate(self, texts: Sequence[str]) -> list[Outcome]:
        """Translate texts in which block tags part sentences."""
        blocks = {at: found for at, text in enumerate(texts) if (found := self._blocks(text))}
        stretches = [stretch for found in blocks.values() for stretch in found.texts]
        rest = [text for at, text in enumerate(texts) if at not in blocks]
        done = self._sentences([*rest, *stretches])
        outcomes, parts = iter(done[: len(rest)]), iter(done[len(rest) :])
        return [
            _of_blocks(text, blocks[at], parts) if at in blocks else next(outcomes)
            for at, text in enumerate(texts)
        ]

    def _blocks(self, text: str) -> Blocks | None:
        return blocks_of(self._cut(text)) if "<" in text else None

    def _taken(self, text: str, hiding: Hiding = Hiding.SPANS) -> Parts:
        return self.masker.take_apart(text, self.own, hiding)

    def _cut(self, text: str) -> Parts:
        """Take a text apart that goes through all of this in pieces: terms of the glossary stay until then."""
        own = self.own and replace(self.own, glossary=None)
        return self.masker.take_apart(text, own)

    def _sentences(self, texts: Sequence[str]) -> list[Outcome]:
        outcomes = self._whole(texts)
        self._decode_otherwise(texts, outcomes)
        halves = {
            at: found for at, one in enumerate(outcomes) if not one.is_sound and (found := self._halves(texts[at]))
        }
        # What is too long is halved until it is short enough; others have other reasons and get one more try.
        cut = {at: found for at, found in halves.items() if outcomes[at].cause == flaws.TRUNCATED}
        others = {at: found for at, found in halves.items() if at not in cut}
        self._halve(cut, texts, outcomes, self._sentences)
        self._halve(others, texts, outcomes, self._whole)
        return outcomes

    def _decode_otherwise(self, texts: Sequence[str], outcomes: list[Outcome]) -> None:
        """Translate what went wrong, but not for its length, once more under other options of the engine."""
        options = {**self.options, **self.engine.traits.other_decoding}
        wrong = [at for at, one in enumerate(outcomes) if not one.is_sound and one.may_differ]
        if options == self.options or not wrong:
            return
        again = replace(self, options=options)._whole([texts[at] for at in wrong])
        for at, one in zip(wrong, again, strict=True):
            if one.is_sound:
                outcomes[at] = replace(one, attempts=outcomes[at].attempts + one.attempts)

    def _halves(self, text: str) -> Halves | None:
        return cut_in_two(text, self._cut(text)) if len(text) >= 2 * _SHORTEST else None

    def _halve(
        self,
        some: Mapping[int, Halves],
        texts: Sequence[str],
        outcomes: list[Outcome],
        again: Callable[[Sequence[str]], list[Outcome]],
    ) -> None:
        """Translate the halves of some texts, and take the result where it is better than the outcome before."""
        pieces = [piece for found in some.values() for piece in (found.first, found.second)]
        done = iter(again(pieces) if pieces else ())
        for at, found in some.items():
            parts, before = [next(done), next(done)], outcomes[at]
            text = joined(found, parts[0].text, parts[1].text)
            after = together(texts[at], text, parts, before.attempts)
            if before.cause or after.is_sound:
                outcomes[at] = after

    def _whole(self, texts: Sequence[str]) -> list[Outcome]:
        tasks = [self._task(at, text) for at, text in enumerate(texts)]
        done = {task.at: outcome for task in tasks if (outcome := self._untouched(task))}
        self._attempt([task for task in tasks if task.at not in done], done)
        return [done[at] for at in range(len(texts))]

    def _attempt(self, tasks: Sequence[Task], done: dict[int, Outcome]) -> None:
        done |= self._with_masks(tasks, self.engine.traits.mask_styles[0])
        for style in self.engine.traits.mask_styles:
            for hiding in (Hiding.SPANS, Hiding.FIGURES):
                tasks = [task for task in tasks if task.at not in done]
                # One mask more makes it harder to keep the others: figures are hidden where they were wrong.
                some = [task for task in tasks if hiding is Hiding.SPANS or task.has_wrong_figures]
                self._retake(some, hiding)
                done |= self._with_masks(some, style)
        tasks = [task for task in tasks if task.at not in done]
        done |= {task.at: self._around_masks(task) for task in tasks}

    def _retake(self, tasks: Sequence[Task], hiding: Hiding) -> None:
        for task in tasks:
            task.retake(self.speller.spelt(self._taken(task.source, hiding)))

    def _task(self, at: int, text: str) -> Task:
        parts = self._taken(text, Hiding.FEW)
        task = Task.of(at, text, self.speller.spelt(parts), parts.whole)
        if task.is_shouted and task.parts.left:
            # Small letters would change what is left.
            self._retake([task], Hiding.SPANS)
        return task

    def _untouched(self, task: Task) -> Outcome | None:
        """Return the outcome of a text that no engine should see."""
        if task.parts.is_crowded:
            return Outcome(task.source, None, attempts=0, warning=flaws.TOO_MANY_SPANS)
        score = 1.0 if self.engine.traits.gives_scores else None
        is_for_engine = task.parts.has_words and not task.is_acronym
        return None if is_for_engine else Outcome(task.kept, score, attempts=0)

    def _with_masks(self, tasks: Sequence[Task], style: str) -> dict[int, Outcome]:
        asked = [(task, disguise) for task in tasks if (disguise := task.next_disguise(style))]
        found = self.engine.translate([disguise.sent for _, disguise in asked], self.options) if asked else []
        verdicts = {
            task.at: task.verdict(disguise, translation, self.bounds)
            for (task, disguise), translation in zip(asked, found, strict=True)
        }
        return {at: outcome for at, outcome in verdicts.items() if outcome}

    def _around_masks(self, task: Task) -> Outcome:
        """Translate each stretch between masks by itself. Grammar suffers, but no hidden piece can be lost."""
        first = task.best
        for hiding in (Hiding.SPANS, Hiding.FIGURES):
            self._retake([task], hiding)
            if not task.parts.hidden:
                continue
            outcome = self._stretch_by_stretch(task)
            if outcome.is_sound:
                return outcome
            first = first or outcome
        return first or Outcome(task.source, None, flaws.EMPTY, len(task.asked))

    def _stretch_by_stretch(self, task: Task) -> Outcome:
        attempt = len(task.asked) + 1
        pieces = [trimmed(plain) for plain in task.parts.plain]
        wanted = [piece.words for piece in pieces if _has_letters(piece.words)]
        found = self.engine.translate(wanted, self.options)
        flaw = next(filter(None, (flaw_in(*one, self.bounds) for one in zip(wanted, found, strict=True))), None)
        if flaw:
            return Outcome(task.source, None, flaw, attempt)
        said = iter(loud(one.text.strip(), is_shouted=task.is_shouted) for one in found)
        texts = [piece.around(next(said) if _has_letters(piece.words) else piece.words) for piece in pieces]
        doubt = flaws.doubt_of(task.parts.plain, texts, self.bounds)
        return Outcome(_interleaved(texts, task.parts), least([one.score for one in found]), None, attempt, doubt)


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _of_blocks(source: str, blocks: Blocks, outcomes: Iterator[Outcome]) -> Outcome:
    parts = [next(outcomes) for _ in blocks.texts]
    return together(source, blocks.around([part.text for part in parts]), parts)


def _interleaved(texts: Sequence[str], parts: Parts) -> str:
    return texts[0] + "".join(hidden + text for hidden, text in zip(parts.hidden, texts[1:], strict=True))

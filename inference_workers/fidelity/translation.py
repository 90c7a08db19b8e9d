"""Translate through one engine, keep unchanged what must not change, and refuse what is no translation.

1. Hide what must not change behind masks, and translate.
2. Accept a translation if every mask is there once and it has no flaw: it is not empty, no repetition loop, and
   its end is not missing.
3. Translate the others again with the next style of mask.
4. Then translate the stretches between the masks one by one.
5. What is still flawed or was too long is cut in two at the end of a clause, and each half begins anew.

Each step but the fourth takes all texts that need it in one call to the engine.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inference_workers.engines.protocol import Engine, Translation
from inference_workers.fidelity.clauses import Halves, cut_in_two, joined, width
from inference_workers.fidelity.masking import Masker, Parts, masked, unmasked

# A repetition loop says the same few words again and again, and has far more words than a translation needs.
_LONGEST_NGRAM = 4
_REPEATS = 4
_GROWTH, _SLACK_WORDS = 2, 10
# A translation of a longer text that is so much narrower (`width`) lost a part of it. English and Portuguese keep
# 0.89 to 1.14 of their width; terser languages must pass too.
_GUARDED_WIDTH, _LEAST_GROWTH = 100, 0.4
TRUNCATED = "truncated"
# Characters that are never cut in two: what goes wrong with them is not their length.
_SHORTEST = 16

EngineOptions = Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """A translation, or the `cause` why there is none; then `text` is the source."""

    text: str
    score: float | None
    cause: str | None = None
    attempts: int = 1


@dataclass(frozen=True)
class _Task:
    """One text to translate, taken apart."""

    at: int
    source: str
    parts: Parts
    shouted: bool


@dataclass(frozen=True)
class _Piece:
    """A stretch of plain text with the white space around it set aside."""

    lead: str
    words: str
    trail: str

    @classmethod
    def of(cls, plain: str) -> "_Piece":
        words = plain.strip()
        lead = plain[: len(plain) - len(plain.lstrip())]
        return cls(lead, words, plain[len(lead) + len(words) :])

    @property
    def is_translatable(self) -> bool:
        return any(character.isalpha() for character in self.words)


class Fidelity:
    """The layer around one engine. For one thread; the engine belongs to the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._masker = Masker(engine.traits.unseen)
        self._spellings = str.maketrans(dict(engine.traits.spellings))
        self._spelt_otherwise = re.compile("|".join(map(re.escape, engine.traits.spellings)) or "(?!)")

    @property
    def is_one_by_one(self) -> bool:
        """Tell whether several texts at once gain nothing."""
        return self._engine.traits.is_one_by_one

    def translate(self, texts: Sequence[str], options: EngineOptions) -> list[Outcome]:
        """Return one outcome per text, in order. Blocks and raises as the engine does."""
        outcomes = self._whole(texts, options)
        flawed = [at for at, one in enumerate(outcomes) if one.cause]
        halves = {at: found for at in flawed if (found := self._halves(texts[at]))}
        # What is too long is halved until it is short enough; loops have other reasons and get one more try.
        cut = {at: found for at, found in halves.items() if outcomes[at].cause == TRUNCATED}
        others = {at: found for at, found in halves.items() if at not in cut}
        for some, again in ((cut, self.translate), (others, self._whole)):
            pieces = [piece for found in some.values() for piece in (found.first, found.second)]
            done = iter(again(pieces, options) if pieces else ())
            for at, found in some.items():
                outcomes[at] = _of_halves(outcomes[at], found, next(done), next(done))
        return outcomes

    def _halves(self, text: str) -> Halves | None:
        return cut_in_two(text, self._masker.take_apart(text)) if len(text) >= 2 * _SHORTEST else None

    def _whole(self, texts: Sequence[str], options: EngineOptions) -> list[Outcome]:
        tasks = [self._task(at, text) for at, text in enumerate(texts)]
        outcomes = {task.at: self._untouched(task) for task in tasks if not task.parts.has_words}
        open_tasks = [task for task in tasks if task.at not in outcomes]
        attempt = 0
        for style in self._engine.traits.mask_styles:
            attempt += 1
            solved = self._with_masks(open_tasks, style, options, attempt)
            outcomes |= solved
            open_tasks = [task for task in open_tasks if task.at not in solved]
        for task in open_tasks:
            outcomes[task.at] = self._around_masks(task, options, attempt + 1)
        return [outcomes[at] for at in range(len(texts))]

    def _task(self, at: int, text: str) -> _Task:
        parts = self._masker.take_apart(text)
        shouted = parts.is_shouted
        plain = tuple(self._spelt(piece) for piece in parts.plain)
        if shouted:
            # Models were trained on few sentences in capitals, and leave such words untranslated.
            plain = tuple(piece.lower() for piece in plain)
        return _Task(at, text, replace(parts, plain=plain), shouted)

    def _spelt(self, plain: str) -> str:
        # Translating a text character by character takes ten times as long as looking for the few that change.
        return plain.translate(self._spellings) if self._spelt_otherwise.search(plain) else plain

    def _untouched(self, task: _Task) -> Outcome:
        return Outcome(task.source, 1.0 if self._engine.traits.gives_scores else None, attempts=0)

    def _with_masks(
        self, tasks: Sequence[_Task], style: str, options: EngineOptions, attempt: int
    ) -> dict[int, Outcome]:
        sent = [masked(task.parts, style) for task in tasks]
        found = self._engine.translate(sent, options) if sent else []
        solved: dict[int, Outcome] = {}
        for task, source, translation in zip(tasks, sent, found, strict=True):
            flaw = _flaw_of(source, translation)
            text = unmasked(_loud(translation.text, task.shouted), task.parts.hidden, style)
            if flaw is None and text is not None:
                solved[task.at] = Outcome(text, translation.score, attempts=attempt)
            elif flaw == TRUNCATED or (flaw and not task.parts.hidden):
                # Another style of mask changes nothing.
                solved[task.at] = Outcome(task.source, None, flaw, attempt)
        return solved

    def _around_masks(self, task: _Task, options: EngineOptions, attempt: int) -> Outcome:
        """Translate each stretch between masks by itself. Grammar suffers, but no hidden piece can be lost."""
        pieces = [_Piece.of(plain) for plain in task.parts.plain]
        wanted = [piece.words for piece in pieces if piece.is_translatable]
        found = iter(self._engine.translate(wanted, options))
        texts, scores = [], []
        for piece in pieces:
            translation = next(found) if piece.is_translatable else Translation(piece.words, None)
            if piece.is_translatable and (flaw := _flaw_of(piece.words, translation)):
                return Outcome(task.source, None, flaw, attempt)
            scores += [translation.score] if piece.is_translatable else []
            texts.append(piece.lead + _loud(translation.text.strip(), task.shouted) + piece.trail)
        return Outcome(_interleaved(texts, task.parts), _least(scores), attempts=attempt)


def flaw_of(source: str, translated: str) -> str | None:
    """Return `empty_translation`, `repetition_loop`, `truncated`, or None for a plausible translation."""
    if not translated.strip():
        return "empty_translation"
    words = translated.split()
    if len(words) > _GROWTH * len(source.split()) + _SLACK_WORDS and _has_loop(words):
        return "repetition_loop"
    wanted = width(source)
    return TRUNCATED if wanted >= _GUARDED_WIDTH and width(translated) < _LEAST_GROWTH * wanted else None


def _flaw_of(source: str, translation: Translation) -> str | None:
    return TRUNCATED if translation.is_cut else flaw_of(source, translation.text)


def _of_halves(whole: Outcome, halves: Halves, first: Outcome, second: Outcome) -> Outcome:
    attempts = whole.attempts + max(first.attempts, second.attempts)
    cause = first.cause or second.cause
    if cause:
        return Outcome(whole.text, None, cause, attempts)
    text = joined(halves, first.text, second.text)
    return Outcome(text, _least((first.score, second.score)), attempts=attempts)


def _interleaved(texts: Sequence[str], parts: Parts) -> str:
    return texts[0] + "".join(hidden + text for hidden, text in zip(parts.hidden, texts[1:], strict=True))


def _least(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return min(known) if known and len(known) == len(scores) else None


def _loud(text: str, shouted: bool) -> str:
    return text.upper() if shouted else text


def _has_loop(words: list[str]) -> bool:
    return any(_repeats(words, size) for size in range(1, _LONGEST_NGRAM + 1))


def _repeats(words: list[str], size: int) -> bool:
    run = 1
    for at in range(size, len(words) - size + 1, size):
        run = run + 1 if words[at : at + size] == words[at - size : at] else 1
        if run >= _REPEATS:
            return True
    return False

"""One text on its way through the attempts, and the verdict on each translation of it. Pure."""

import re
from dataclasses import dataclass, field

from inference_workers.engines.protocol import Translation
from inference_workers.fidelity import flaws
from inference_workers.fidelity.disguise import Disguise, Restored, disguised
from inference_workers.fidelity.emphasis import with_emphasis
from inference_workers.fidelity.outcomes import Outcome
from inference_workers.fidelity.parts import Parts, are_shouted, is_acronym
from inference_workers.fidelity.typography import typeset

# "Emma" came back as "Emma (em inglês)", "Beatrice" as "Beatrice (a)".
_GLOSS = re.compile(r" \([^()]+\)\s*\Z")
_MOST_NAMES = 3


@dataclass(slots=True)
class Task:
    """One text to translate, taken apart. `best` is a translation that a reader should look at.

    `kept` is the text where no engine changes it: only the terms of a glossary have their translation.
    """

    source: str
    parts: Parts
    is_shouted: bool
    kept: str
    is_acronym: bool = False
    asked: set[str] = field(default_factory=set)
    best: Outcome | None = None

    @classmethod
    def of(cls, source: str, parts: Parts, spelt: Parts) -> "Task":
        """Make a task of a text, and of it as the model spells it.

        Capitals are sent as small letters: models saw few of them, and repeat them. Some know a letter as a small
        one only, so what is in capitals is seen before it is spelt.
        """
        words = parts.words_in_capitals()
        is_shouted = are_shouted(words)
        quiet = _quietened(spelt) if is_shouted else spelt
        return cls(source, quiet, is_shouted, parts.whole, is_acronym(words))

    @property
    def has_wrong_figures(self) -> bool:
        """Tell whether all but a figure was right in an attempt."""
        return self.best is not None and self.best.warning == flaws.FIGURES_DIFFER

    def retake(self, parts: Parts) -> None:
        """Take the text apart in another way."""
        self.parts = _quietened(parts) if self.is_shouted else parts

    def first_disguise(self, style: str) -> Disguise:
        """Return what to ask the engine first."""
        disguise = disguised(self.parts, style)
        self.asked.add(disguise.sent)
        return disguise

    def next_disguise(self, style: str) -> Disguise | None:
        """Return what to ask the engine, or None if that was asked before."""
        disguise = disguised(self.parts, style)
        if disguise.sent in self.asked:
            return None
        self.asked.add(disguise.sent)
        return disguise

    def verdict(self, disguise: Disguise, translation: Translation, bounds: flaws.LengthBounds) -> Outcome | None:
        """Return the outcome, or None where another attempt may do better; the first doubtful one is `best`."""
        attempt = len(self.asked)
        flaw = flaw_in(disguise.sent, translation, bounds)
        if flaw == flaws.TRUNCATED or (flaw and not self.parts.has_spans):
            # Masks change nothing.
            return Outcome(self.source, None, flaw, attempt)
        text = None if flaw else with_emphasis(translation.text, self.parts.emphasis)
        if text and self.parts.typed:
            text = typeset(self.parts.typed, self.parts.plain, text)
        restored = None if text is None else disguise.restored(text, is_loud=self.is_shouted)
        if restored is None or not self._keeps_what_was_left(disguise, restored):
            return None
        if self._is_name(disguise, restored):
            return Outcome(self.kept, translation.score, None, attempt)
        doubt = flaws.doubt_of(disguise.stretches, restored.written, bounds)
        outcome = Outcome(self._begun_as_source(restored.text), translation.score, None, attempt, doubt)
        if doubt is None:
            return outcome
        self.best = self.best or outcome
        return None

    def _keeps_what_was_left(self, disguise: Disguise, restored: Restored) -> bool:
        if not self.parts.left:
            return True
        before, behind = "\n".join(disguise.stretches), "\n".join(restored.written)
        return all(before.count(span) == behind.count(span) for span in self.parts.left)

    def _begun_as_source(self, translated: str) -> str:
        """Return it with a capital first, if the source has one that was spelt small for the model."""
        is_spelt_small = self.source[:1].isupper() and self.parts.plain[0][:1].islower() and not self.is_shouted
        return translated[:1].upper() + translated[1:] if is_spelt_small else translated

    def _is_name(self, disguise: Disguise, restored: Restored) -> bool:
        """Tell whether the engine repeats a name, which stays.

        It repeats a lone word in capitals, with an article or not; or writes beside a name what language it is of.
        """
        words = "".join(disguise.stretches).split()
        if not self.is_shouted:
            is_titled = len(words) <= _MOST_NAMES and all(map(str.istitle, words))
            return is_titled and _GLOSS.sub("", "".join(restored.written)).split() == words
        return len(words) == 1 and words[0] in "".join(restored.written).lower().split()


def _quietened(parts: Parts) -> Parts:
    return parts._replace(plain=tuple(piece.lower() for piece in parts.plain))


def flaw_in(sent: str, translation: Translation, bounds: flaws.LengthBounds) -> str | None:
    """Return why the answer of an engine is no translation, or None."""
    return flaws.TRUNCATED if translation.is_cut else flaws.flaw_of(sent, translation.text, bounds)


def loud(text: str, *, is_shouted: bool) -> str:
    """Return a text in capitals where its source was."""
    return text.upper() if is_shouted else text

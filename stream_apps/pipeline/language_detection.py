"""Detect the language of each text where the request says auto: per text, never per segment.

A long text speaks for itself. A short one ("Guardar", "OK") may lean on its neighbours, the other texts of the
request: an array of labels is in one language as a rule.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from schemas.languages import Language, parse_language
from stream_apps.pipeline.passing_through import LETTER, has_letters

# Languages told apart by default. More candidates make short texts harder to tell, fewer make a text in
# any other language look like one of these.
CANDIDATES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv",
    "th", "tr", "uk", "vi", "zh",
)  # fmt: skip

# Letters; a text with fewer may lean on its neighbours.
_SHORT = 20
# A neighbour speaks for others if it is long and so likely.
_SURE = 0.9
# How much of the belief in a short text's language comes from its neighbours: in an array of English labels one
# label in ten may be in any other language.
_LEANING = 0.9

Probabilities = Mapping[str, float]


class Detection(NamedTuple):
    """A language with its probability, 0 to 1. `language` is None where none is likely enough."""

    language: Language | None
    probability: float


@dataclass(frozen=True)
class LangidDetector:
    """Detects the language of a text by its beginning, with py3langid.

    The model (90 MB, 1 s) is loaded at the first call.
    """

    candidates: Sequence[str] = CANDIDATES
    threshold: float = 0.5
    sample_characters: int = 4000

    def detect(self, text: str) -> Detection:
        """Return the most likely language of one text."""
        return self.detect_each([text])[0]

    def detect_each(self, texts: Sequence[str]) -> list[Detection]:
        """Return the most likely language of each text; the texts are neighbours in their order."""
        return [self._detection(one) for one in self._leaned(texts)]

    def guess_each(self, texts: Sequence[str], among: Collection[str]) -> list[Detection]:
        """Return a language for each text that has letters, likely enough or not.

        A long text speaks for itself where one is likely enough. All others are in the language of all texts
        together: where none is likely enough there, either, in the likeliest of `among`, with the chance that it
        has. `among` are tags, of which the language alone counts; empty: any.
        """
        together = self._guess("\n".join(texts), {tag.partition("-")[0] for tag in among})
        found = self.detect_each(texts)
        return [
            (own if own.language and _is_long(text) else together) if has_letters(text) else Detection(None, 0.0)
            for text, own in zip(texts, found, strict=True)
        ]

    def _guess(self, text: str, among: Collection[str]) -> Detection:
        probabilities = self._probabilities(text)
        found = self._detection(probabilities)
        if found.language is not None:
            return found
        fitting = [(chance, one) for one, chance in probabilities.items() if one in among or not among]
        chance, language = max(fitting, default=(0.0, ""))
        return Detection(parse_language(language, "source_language") if language else None, float(chance))

    def _leaned(self, texts: Sequence[str]) -> list[Probabilities]:
        """Return the probabilities of each text; those of short ones with what their neighbours say."""
        found = [self._probabilities(text) for text in texts]
        sure = [at for at, text in enumerate(texts) if _is_sure(text, found[at])]
        short = set(range(len(texts))).difference(sure)
        return [
            leaning(own, [(found[one], 1 / abs(one - at)) for one in _beside(at, sure)]) if at in short else own
            for at, own in enumerate(found)
        ]

    def _probabilities(self, text: str) -> Probabilities:
        """Return the probability of each candidate, none of them for a text without letters."""
        sample = text.strip()[: self.sample_characters]
        # The library answers something even for texts without one known feature.
        return dict(self._identifier.rank(sample)) if has_letters(sample) else {}

    def _detection(self, probabilities: Probabilities) -> Detection:
        if not probabilities:
            return Detection(None, 0.0)
        language, probability = max(probabilities.items(), key=lambda one: one[1])
        is_likely = probability >= self.threshold
        return Detection(parse_language(language, "source_language") if is_likely else None, float(probability))

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  # a second at import

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(list(self.candidates))
        return identifier


def leaning(own: Probabilities, neighbours: Sequence[tuple[Probabilities, float]]) -> Probabilities:
    """Return what a short text's own letters and its neighbours say together, by Bayes' rule.

    The mean of the neighbours, each with its weight, is the prior; mixed with an even one, so that clear letters
    still overrule it.
    """
    if not (own and neighbours):
        return own
    even, weight = 1 / len(own), sum(one for _, one in neighbours)
    joint = {
        language: chance
        * (_LEANING * sum(one[language] * near for one, near in neighbours) / weight + (1 - _LEANING) * even)
        for language, chance in own.items()
    }
    total = sum(joint.values())
    return {language: chance / total for language, chance in joint.items()}


def _is_sure(text: str, probabilities: Probabilities) -> bool:
    return max(probabilities.values(), default=0.0) >= _SURE and _is_long(text)


def _is_long(text: str) -> bool:
    return len(LETTER.findall(text[: 4 * _SHORT])) >= _SHORT


def _beside(at: int, sure: Sequence[int]) -> list[int]:
    """Return the two nearest sure texts before and the two behind."""
    here = bisect_left(sure, at)
    return [*sure[max(here - 2, 0) : here], *sure[here : here + 2]]

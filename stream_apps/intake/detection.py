"""Which language a text is in, where the request said auto: once per document, never per segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from schemas.errors import PermanentError
from schemas.languages import Language, parse_language

# Languages told apart by default. More candidates make short texts harder to tell, fewer make a text in
# any other language look like one of these.
CANDIDATES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv",
    "th", "tr", "uk", "vi", "zh",
)  # fmt: skip


class Detector(Protocol):
    """Tells the language of a text."""

    def detect(self, text: str) -> Language:
        """Raises PermanentError, naming source_language, when no language is likely enough."""


@dataclass(frozen=True)
class LangidDetector:
    """py3langid over the beginning of the text. The model (1 s, 90 MB) is loaded at the first call."""

    candidates: Sequence[str] = CANDIDATES
    threshold: float = 0.5
    sample_characters: int = 4000

    def detect(self, text: str) -> Language:
        sample = text.strip()[: self.sample_characters]
        language, probability = self._identifier.classify(sample)
        # The library answers something even for texts without one known feature.
        if not any(character.isalpha() for character in sample) or probability < self.threshold:
            raise _undetected(self.threshold)
        return parse_language(language, "source_language")

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  # a second at import

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(list(self.candidates))
        return identifier


def _undetected(threshold: float) -> PermanentError:
    return PermanentError(
        "undetected_language",
        "source_language is auto, and no language is likely enough",
        field="source_language",
        limit=f"probability of at least {threshold:g}",
        cure="name the source language, or send more text",
    )

"""Route a request: the language of its text, the pool that translates it, and the model it meets there.

The language is detected once per document, where the request says auto, and never per segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.catalogue import Catalogue, catalogue_of, unsupported_pair
from schemas.errors import PermanentError
from schemas.languages import Language, parse_language
from schemas.priorities import Priority
from stream_apps.pipeline.stores import ModelVersions

# Languages told apart by default. More candidates make short texts harder to tell, fewer make a text in
# any other language look like one of these.
CANDIDATES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv",
    "th", "tr", "uk", "vi", "zh",
)  # fmt: skip


@dataclass(frozen=True)
class LangidDetector:
    """Detects the language of a text by its beginning, with py3langid.

    The model (90 MB, 1 s) is loaded at the first call.
    """

    candidates: Sequence[str] = CANDIDATES
    threshold: float = 0.5
    sample_characters: int = 4000

    def detect(self, text: str) -> Language:
        """Return the most likely language. Raises PermanentError, naming source_language, when none is likely."""
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


class Route(BaseModel):
    """A rule that sends requests to a pool. All its conditions must hold; one that is left empty always does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str = Field(description="One of DRAGOMAN_KAFKA_POOLS.")
    priorities: tuple[Priority, ...] = Field(default=(), description="One of them.")
    pairs: tuple[str, ...] = Field(default=(), description="One of them, such as en-pt.")
    min_words: int = Field(default=0, ge=0, description="Of the text, this number included.")
    max_words: int | None = Field(default=None, ge=0, description="Of the text, this number included.")

    def fits(self, priority: Priority, pairs: Sequence[str], words: int) -> bool:
        """Tell whether a request with one of these pair names and this number of words meets every condition."""
        return (
            (not self.priorities or priority in self.priorities)
            and (not self.pairs or any(pair in self.pairs for pair in pairs))
            and self.min_words <= words
            and (self.max_words is None or words <= self.max_words)
        )


def pool_of(routes: Sequence[Route], default: str, priority: Priority, pairs: Sequence[str], words: int) -> str:
    """Return the pool of the first route that fits, else the default."""
    return next((route.pool for route in routes if route.fits(priority, pairs, words)), default)


async def model_version(
    models: ModelVersions, pool: str, source: Language, target: Language, configured: tuple[str, ...]
) -> str | None:
    """Return the version of the pool's most specific model for the pair.

    None while no worker is ready and the pair is configured. Raises PermanentError for a pair that nobody
    serves, TransientError when the registry cannot be asked.
    """
    served = await models.read(pool)
    known = served or _assumed(configured)
    version = known.version_of(source, target)
    if version is None:
        raise unsupported_pair(str(source), str(target), known)
    return version if served else None


@lru_cache
def _assumed(pairs: tuple[str, ...]) -> Catalogue:
    return catalogue_of(dict.fromkeys(pairs, ""))


def _undetected(threshold: float) -> PermanentError:
    return PermanentError(
        "undetected_language",
        "source_language is auto, and no language is likely enough",
        field="source_language",
        limit=f"probability of at least {threshold:g}",
        cure="name the source language, or send more text",
    )

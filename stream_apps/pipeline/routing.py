"""Which pool translates a request, and with which model. Pure, but for the registry that is asked.

Which language a text is in, where the request said auto: once per document, never per segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import PermanentError
from schemas.languages import Language, parse_language
from schemas.priorities import Priority
from stream_apps.pipeline.stores import ModelVersions


class Route(BaseModel):
    """A rule: requests that fit every condition given go to the pool. Empty conditions fit all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str = Field(description="One of DRAGOMAN_KAFKA_POOLS.")
    priorities: tuple[Priority, ...] = Field(default=(), description="One of them.")
    pairs: tuple[str, ...] = Field(default=(), description="One of them, such as en-pt.")
    min_words: int = Field(default=0, ge=0, description="Of the text, this number included.")
    max_words: int | None = Field(default=None, ge=0, description="Of the text, this number included.")


def pair_names(source: Language, target: Language) -> list[str]:
    """The names under which a model may serve the pair, the most specific first: en-pt-BR, en-pt."""
    exact, plain = f"{source}-{target}", f"{source.language}-{target.language}"
    half = f"{source.language}-{target}"
    return list(dict.fromkeys((exact, half, plain)))


def pool_of(routes: Sequence[Route], default: str, priority: Priority, pairs: Sequence[str], words: int) -> str:
    """The pool of the first rule that fits, else the default."""
    return next((route.pool for route in routes if _fits(route, priority, pairs, words)), default)


async def model_version(
    models: ModelVersions, pool: str, pairs: Sequence[str], configured: Sequence[str]
) -> str | None:
    """The version that the pool's workers serve; None while none is ready and the pair is configured.

    Raises PermanentError for a pair that nobody serves, TransientError when the registry is away.
    """
    served = await models.read(pool)
    known = [pair for pair in pairs if pair in (served or configured)]
    if not known:
        raise _unsupported(pairs[0], sorted(served or configured))
    return served.get(known[0])


def _fits(route: Route, priority: Priority, pairs: Sequence[str], words: int) -> bool:
    return (
        (not route.priorities or priority in route.priorities)
        and (not route.pairs or any(pair in route.pairs for pair in pairs))
        and route.min_words <= words
        and (route.max_words is None or words <= route.max_words)
    )


def _unsupported(pair: str, served: Sequence[str]) -> PermanentError:
    return PermanentError(
        "unsupported_pair",
        f"no model translates {pair}",
        field="target_language",
        limit=", ".join(served),
        cure="send one of these pairs, or deploy a model for this one",
    )


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

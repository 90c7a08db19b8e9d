"""Define what the worker asks of an engine, and `PivotEngine`: two engines in a row, where no model is direct."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from schemas.errors import TransientError

# In a model folder: what its files do not tell, such as pairs, version, engine and language tokens.
MANIFEST = "dragoman-model.json"

_OUT_OF_MEMORY_PAUSE_SECONDS = 0.5


class OutOfMemoryError(TransientError):
    """The device has no memory for so much text at once; less may fit (inference_workers/fitting.py)."""

    def __init__(self) -> None:
        super().__init__("the device is out of memory", _OUT_OF_MEMORY_PAUSE_SECONDS)


class Translation(NamedTuple):
    """One translated sentence. `score` is between 0 and 1; None where the engine gives none."""

    text: str
    score: float | None = None


@dataclass(frozen=True)
class Traits:
    """What a model cannot represent; the fidelity layer works around it.

    `unseen` matches characters that are not in its vocabulary. `spellings` maps characters to others that are.
    `mask_styles` are formats for placeholders, the best first, measured per model family. `is_one_by_one`: it
    translates text by text, so that several at once gain nothing.
    """

    gives_scores: bool = False
    is_one_by_one: bool = False
    mask_styles: tuple[str, ...] = ("QZ{}", "https://x.co/{}")
    unseen: re.Pattern[str] | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """One loaded model (or chain of models) for one pair. Not thread-safe."""

    @property
    def version(self) -> str:
        """Name engine and model content. Keys of the translation memory depend on it."""

    @property
    def traits(self) -> Traits:
        """Return what to work around."""

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """Return one translation per sentence, in order. Blocks.

        Raises OutOfMemoryError, FatalError when the engine is broken, PermanentError for a bad option.
        """

    def close(self) -> None:
        """Free the model. Nothing may be called afterwards."""


@dataclass(frozen=True)
class PivotEngine:
    """Translates with `first` into the pivot language, with `second` out of it. A score is the product of both."""

    first: Engine
    second: Engine

    @property
    def version(self) -> str:
        """Return both versions, as either one changes the result."""
        return f"{self.first.version}+{self.second.version}"

    @property
    def traits(self) -> Traits:
        """Return those of `first`: it decides what is masked, and masks pass through `second` unchanged."""
        gives_scores = self.first.traits.gives_scores and self.second.traits.gives_scores
        return replace(self.first.traits, gives_scores=gives_scores)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        between = self.first.translate(sentences, options)
        final = self.second.translate([one.text for one in between], options)
        return [
            Translation(last.text, _product(one.score, last.score))
            for one, last in zip(between, final, strict=True)
        ]

    def close(self) -> None:
        """Do nothing: both engines belong to the model router, which closes them."""


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other

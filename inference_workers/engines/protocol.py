"""What the worker asks of an engine.

Two engines in a row where no model translates directly: through English, usually.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from schemas.errors import TransientError

_OUT_OF_MEMORY_PAUSE_SECONDS = 0.5


class OutOfMemoryError(TransientError):
    """The device has no room for so much at once; less may fit (inference_workers/fitting.py)."""

    def __init__(self) -> None:
        super().__init__("the device is out of memory", _OUT_OF_MEMORY_PAUSE_SECONDS)


class Translation(NamedTuple):
    """One sentence. `score` is between 0 and 1; None where the engine gives none."""

    text: str
    score: float | None = None


@dataclass(frozen=True)
class Traits:
    """What a model cannot see or says differently: the fidelity layer works around it.

    `unseen` matches characters that its vocabulary lacks; `spellings` are replaced by what it knows;
    `mask_styles` are formats for placeholders, the best first, measured per model family.
    """

    gives_scores: bool = False
    mask_styles: tuple[str, ...] = ("QZ{}", "https://x.co/{}")
    unseen: re.Pattern[str] | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """One loaded model (or chain of models) for one pair. Not thread-safe."""

    @property
    def version(self) -> str:
        """Names engine and model content: a translation memory key depends on it."""

    @property
    def traits(self) -> Traits:
        """What to work around."""

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """One translation per sentence. Raises OutOfMemoryError."""

    def close(self) -> None:
        """Frees the model."""


@dataclass(frozen=True)
class PivotEngine:
    """`first` into the pivot language, `second` out of it. A score is the product of both."""

    first: Engine
    second: Engine

    @property
    def version(self) -> str:
        """Both versions: either one changes the result."""
        return f"{self.first.version}+{self.second.version}"

    @property
    def traits(self) -> Traits:
        """Those of the first; what both lack would have to be masked for both, and masks pass through."""
        gives_scores = self.first.traits.gives_scores and self.second.traits.gives_scores
        theirs = self.first.traits
        return Traits(gives_scores, theirs.mask_styles, theirs.unseen, theirs.spellings)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        between = self.first.translate(sentences, options)
        final = self.second.translate([one.text for one in between], options)
        return [
            Translation(last.text, _product(one.score, last.score))
            for one, last in zip(between, final, strict=True)
        ]

    def close(self) -> None:
        """The engines belong to the catalogue, which closes them."""


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other

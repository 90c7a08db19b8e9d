"""What the worker asks of an engine."""

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

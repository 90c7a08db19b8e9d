"""Define what the worker asks of an engine, and `PivotEngine`: two engines in a row, where no model is direct."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from schemas.errors import DragomanError, FatalError, TransientError

# In a model folder: what its files do not tell, such as languages, version, engine, language tokens and limits.
MANIFEST = "dragoman-model.json"

_OUT_OF_MEMORY_PAUSE_SECONDS = 0.5
_MOST_SOURCE_TOKENS, _SLACK_TOKENS = 200, 50
# Words of CUDA, cuBLAS and torch; the allocator of the CPU raises MemoryError instead.
_OUT_OF_MEMORY = ("out of memory", "failed to allocate", "cublas_status_alloc_failed")


class Device(StrEnum):
    """Where a model runs. Which of several GPUs: CUDA_VISIBLE_DEVICES."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class OutOfMemoryError(TransientError):
    """The device has no memory for so much text at once; less may fit (inference_workers/fitting.py)."""

    def __init__(self) -> None:
        super().__init__("the device is out of memory", _OUT_OF_MEMORY_PAUSE_SECONDS)


class EngineError(FatalError):
    """The engine failed on these texts. Others may go, so it ends the process only where nobody divides the texts.

    See inference_workers/fitting.py.
    """


class Translation(NamedTuple):
    """One translated sentence. `score` is between 0 and 1; None where the engine gives none.

    `is_cut`: source or translation is longer than the model takes, so that the end of it is missing.
    """

    text: str
    score: float | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class Traits:
    """What a model cannot represent; the fidelity layer works around it.

    `unseen` matches signs, and words with letters, that are not in its vocabulary. `spellings` maps characters to
    others that are.
    `mask_styles` are formats for placeholders, the best first, measured per model family. `is_one_by_one`: it
    translates text by text, so that several at once gain nothing. `other_decoding` are options under which it may
    say something else, for texts that went wrong; empty where it has none.
    """

    gives_scores: bool = False
    is_one_by_one: bool = False
    mask_styles: tuple[str, ...] = ("QZ{}", "https://x.co/{}")
    unseen: re.Pattern[str] | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)
    other_decoding: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """A loaded model (or chain of models) seen as one for a single pair. Not thread-safe."""

    @property
    def version(self) -> str:
        """Name engine and model content. Keys of the translation memory depend on it."""

    @property
    def traits(self) -> Traits:
        """Return what to work around."""

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """Return one translation per sentence, in order. Blocks.

        Raises OutOfMemoryError, EngineError for anything else that the library raises, PermanentError for a bad
        option.
        """


class Model(Protocol):
    """One loaded model folder, however many pairs it translates. Not thread-safe."""

    def engine(self, source: str, target: str) -> Engine:
        """Return the engine of one of its pairs; all of them share the loaded model. Cheap."""

    def close(self) -> None:
        """Free the model. Neither it nor its engines may be called afterwards."""


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
            Translation(last.text, _product(one.score, last.score), one.is_cut or last.is_cut)
            for one, last in zip(between, final, strict=True)
        ]


def manifest_of(directory: Path) -> dict[str, Any]:
    """Return what the manifest of a model folder says; empty where there is none. Raises FatalError naming it."""
    file = directory / MANIFEST
    try:
        found = json.loads(file.read_bytes()) if file.is_file() else {}
    except (OSError, ValueError) as error:
        raise FatalError(f"{file} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise FatalError(f"{file} is no JSON object")
    return found


def most_source_tokens(manifest: Mapping[str, Any], positions: int | None) -> int:
    """Return how many tokens of a sentence the model reads well, special ones included.

    The manifest's `max_source_tokens`, else 200, as models are trained on single sentences and drop the end of
    longer ones; at most half of the model's positions, so that a longer translation has room.
    Raises FatalError for a limit that is no number above 0, with which every sentence would be too long.
    """
    wanted = manifest.get("max_source_tokens", _MOST_SOURCE_TOKENS)
    if not isinstance(wanted, int) or wanted < 1:
        raise FatalError(f"{MANIFEST}: max_source_tokens is {wanted!r}, which is no number above 0")
    return wanted if positions is None else min(wanted, positions // 2)


def language_tokens(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the tokens by which a model knows languages. Raises FatalError unless they are texts by language."""
    found = manifest.get("language_tokens", {})
    if not isinstance(found, dict) or not all(isinstance(token, str) for token in found.values()):
        raise FatalError(f"{MANIFEST}: language_tokens are no texts by language")
    return found


def score_of(mean_log_probability: float) -> float:
    """Return exp of it, from 0 to 1. What is no number, as half precision may give, promises nothing: 0."""
    return 0.0 if math.isnan(mean_log_probability) else math.exp(min(mean_log_probability, 0.0))


def longest_translation(source_tokens: int) -> int:
    """Return the tokens beyond which an output is no translation but a loop."""
    return 2 * source_tokens + _SLACK_TOKENS


@contextmanager
def engine_errors(library: str) -> Iterator[None]:
    """Turn whatever the library raises about texts into OutOfMemoryError or EngineError.

    Only the messages of RuntimeError are repeated, which the C++ libraries write: others may quote the text.
    """
    try:
        yield
    except DragomanError:
        raise
    except Exception as error:
        said = str(error).lower()
        if isinstance(error, MemoryError) or any(words in said for words in _OUT_OF_MEMORY):
            raise OutOfMemoryError from error
        shown = f": {error}" if isinstance(error, RuntimeError) else ""
        raise EngineError(f"{library} failed with {type(error).__name__}{shown}") from None


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other

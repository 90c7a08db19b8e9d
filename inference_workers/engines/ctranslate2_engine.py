"""CTranslate2: OPUS-MT, NLLB, M2M-100, MADLAD and other converted models, on CPU and GPU."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2

from inference_workers.engines.protocol import OutOfMemoryError, Traits, Translation
from inference_workers.engines.tokenizers import Tokenizer, open_tokenizer
from schemas.errors import FatalError, PermanentError

TRAITS = Traits(gives_scores=True)
# Memory grows with the beam; quality does not, beyond a handful.
_WIDEST_BEAM = 16
_OUT_OF_MEMORY = ("out of memory", "failed to allocate", "cublas_status_alloc_failed")


@dataclass(frozen=True)
class CTranslate2Options:
    """How the model runs. `batch_tokens` bounds the tokens of one device batch, padding included."""

    device: str = "auto"
    compute_type: str = "default"
    batch_tokens: int = 2048
    beam_size: int = 2
    threads: int = 1


class CTranslate2Engine:
    """Sentences are sorted by length inside, so a device batch holds like lengths."""

    def __init__(self, directory: Path, version: str, pair: tuple[str, str], options: CTranslate2Options) -> None:
        self.version = version
        self.traits = TRAITS
        self._options = options
        self._tokenizer: Tokenizer = open_tokenizer(directory, *pair)
        try:
            self._translator = ctranslate2.Translator(
                str(directory),
                device=options.device,
                compute_type=options.compute_type,
                intra_threads=options.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise FatalError(f"{directory} cannot be loaded by CTranslate2: {error}") from error

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """`options["beam_size"]` overrides the configured one. Scores are exp of the mean log probability.

        Raises PermanentError for a beam size that is no number from 1 to 16.
        """
        tokens = [self._tokenizer.encode(sentence) for sentence in sentences]
        prefix = self._tokenizer.target_prefix
        try:
            found = self._translator.translate_batch(
                tokens,
                target_prefix=[prefix] * len(tokens) if prefix else None,
                max_batch_size=self._options.batch_tokens,
                batch_type="tokens",
                beam_size=_beam_size(options, self._options.beam_size),
                return_scores=True,
            )
        except (RuntimeError, MemoryError) as error:
            raise _failure(error) from error
        return [self._translation(one.hypotheses[0], one.scores[0]) for one in found]

    def close(self) -> None:
        self._translator.unload_model()

    def _translation(self, tokens: list[str], mean_log_probability: float) -> Translation:
        prefix = self._tokenizer.target_prefix
        words = tokens[len(prefix) :] if tokens[: len(prefix)] == prefix else tokens
        return Translation(self._tokenizer.decode(words), min(math.exp(mean_log_probability), 1.0))


def _beam_size(options: Mapping[str, str], configured: int) -> int:
    asked = options.get("beam_size")
    if asked is None:
        return configured
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 2 and 1 <= int(asked) <= _WIDEST_BEAM):
        raise PermanentError(
            "bad_options",
            "options.beam_size is no number that a beam can have",
            field="options",
            limit=f"1 to {_WIDEST_BEAM}",
            cure="leave it out",
        )
    return int(asked)


def _failure(error: RuntimeError | MemoryError) -> FatalError | OutOfMemoryError:
    # CUDA's and cuBLAS's words; the processor's allocator raises MemoryError.
    said = str(error).lower()
    if isinstance(error, MemoryError) or any(words in said for words in _OUT_OF_MEMORY):
        return OutOfMemoryError()
    return FatalError(f"CTranslate2: {error}")

"""Run converted models (OPUS-MT, NLLB, M2M-100, MADLAD and others) with CTranslate2, on CPU and GPU.

The tokenizer is whichever the model folder has: SentencePiece or a tokenizer.json.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import ctranslate2
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer as HuggingFaceTokenizer

from inference_workers.engines.protocol import MANIFEST, OutOfMemoryError, Traits, Translation
from schemas.errors import FatalError, PermanentError

TRAITS = Traits(gives_scores=True)
_END = "</s>"
# Memory grows with the beam; beyond a handful, quality does not.
_WIDEST_BEAM = 16
# Words of CUDA and cuBLAS; the allocator of the CPU raises MemoryError instead.
_OUT_OF_MEMORY = ("out of memory", "failed to allocate", "cublas_status_alloc_failed")


class Tokenizer(Protocol):
    """Text to tokens and back, for one pair. The decoder is forced to begin with `target_prefix`."""

    target_prefix: list[str]

    def encode(self, text: str) -> list[str]:
        """Return the tokens, with the special tokens that the model needs."""

    def decode(self, tokens: Sequence[str]) -> str:
        """Return plain text."""


@dataclass(frozen=True)
class CTranslate2Options:
    """How the model runs. `batch_tokens` bounds the tokens of one device batch, padding included."""

    device: str = "auto"
    compute_type: str = "default"
    batch_tokens: int = 2048
    beam_size: int = 2
    threads: int = 1


class CTranslate2Engine:
    """One model folder for one pair. CTranslate2 sorts sentences by length, so a device batch has like lengths."""

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
        """Translate all sentences at once. A score is exp of the mean log probability.

        `options["beam_size"]` overrides the configured one. Raises PermanentError unless it is from 1 to 16.
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
    said = str(error).lower()
    if isinstance(error, MemoryError) or any(words in said for words in _OUT_OF_MEMORY):
        return OutOfMemoryError()
    return FatalError(f"CTranslate2: {error}")


class SentencePieceTokenizer:
    """SentencePiece: source.spm and target.spm (OPUS-MT), or one shared file (NLLB, M2M-100, MADLAD)."""

    def __init__(self, source: Path, target: Path, prefix: list[str], target_prefix: list[str]) -> None:
        self._source = SentencePieceProcessor(model_file=str(source))
        self._target = SentencePieceProcessor(model_file=str(target))
        self._prefix = prefix
        self.target_prefix = target_prefix

    def encode(self, text: str) -> list[str]:
        return [*self._prefix, *self._source.encode(text, out_type=str), _END]

    def decode(self, tokens: Sequence[str]) -> str:
        return str(self._target.decode([token for token in tokens if token != _END]))


class FileTokenizer:
    """The tokenizer.json of the Hugging Face library."""

    def __init__(self, file: Path, target_prefix: list[str]) -> None:
        self._tokenizer = HuggingFaceTokenizer.from_file(str(file))
        self.target_prefix = target_prefix

    def encode(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text).tokens)

    def decode(self, tokens: Sequence[str]) -> str:
        ids = [found for token in tokens if (found := self._tokenizer.token_to_id(token)) is not None]
        return str(self._tokenizer.decode(ids))


def open_tokenizer(directory: Path, source: str, target: str) -> Tokenizer:
    """Return the tokenizer of a model folder. Raises FatalError naming the files it looked for."""
    names = _language_tokens(directory)
    prefix, target_prefix = [[names[code]] if code in names else [] for code in (source, target)]
    source_file, target_file = directory / "source.spm", directory / "target.spm"
    if source_file.is_file() and target_file.is_file():
        return SentencePieceTokenizer(source_file, target_file, prefix, target_prefix)
    for name in ("sentencepiece.bpe.model", "spiece.model", "spm.model"):
        if (directory / name).is_file():
            return SentencePieceTokenizer(directory / name, directory / name, prefix, target_prefix)
    if (directory / "tokenizer.json").is_file():
        return FileTokenizer(directory / "tokenizer.json", target_prefix)
    raise FatalError(f"{directory} has no source.spm and target.spm, sentencepiece model or tokenizer.json")


def _language_tokens(directory: Path) -> dict[str, str]:
    # The codes of some models differ from BCP-47: NLLB has those of FLORES-200.
    file = directory / MANIFEST
    if not file.is_file():
        return {}
    return dict(json.loads(file.read_text()).get("language_tokens", {}))

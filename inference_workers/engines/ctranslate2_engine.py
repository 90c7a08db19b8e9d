"""Run converted models (OPUS-MT, NLLB, M2M-100, MADLAD and others) with CTranslate2, on CPU and GPU.

The tokenizer is whichever the model folder has: SentencePiece or a tokenizer.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import ctranslate2
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer as HuggingFaceTokenizer

from inference_workers.engines.ctranslate2_file import positions_of
from inference_workers.engines.protocol import (
    Device,
    Traits,
    Translation,
    engine_errors,
    language_tokens,
    longest_translation,
    manifest_of,
    most_source_tokens,
    score_of,
)
from schemas.errors import FatalError
from schemas.validity import beam_size_of

TRAITS = Traits(gives_scores=True, other_decoding={"beam_size": "5"})
_END = "</s>"


class Tokenizer(Protocol):
    """Text to tokens and back."""

    def encode(self, text: str, prefix: Sequence[str]) -> list[str]:
        """Return the tokens with the special ones that the model needs, behind the `prefix` if there is one."""

    def decode(self, tokens: Sequence[str]) -> str:
        """Return plain text."""


@dataclass(frozen=True)
class CTranslate2Options:
    """How the model runs. `batch_tokens` bounds the tokens of one device batch, padding included."""

    device: Device = Device.AUTO
    compute_type: str = "default"
    batch_tokens: int = 2048
    beam_size: int = 2
    threads: int = 1


class CTranslate2Model:
    """One model folder, loaded once. `positions` is the most tokens it can ever read or write, if limited."""

    def __init__(self, directory: Path, version: str, options: CTranslate2Options) -> None:
        manifest = manifest_of(directory)
        self.version = version
        self.options = options
        self.tokenizer: Tokenizer = open_tokenizer(directory)
        self.positions = positions_of(directory / "model.bin")
        self.most_tokens = most_source_tokens(manifest, self.positions)
        # The codes of some models differ from BCP-47: NLLB has those of FLORES-200.
        self._names = language_tokens(manifest)
        try:
            self.translator = ctranslate2.Translator(
                str(directory),
                device=options.device.value,
                compute_type=options.compute_type,
                intra_threads=options.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise FatalError(f"{directory} cannot be loaded by CTranslate2: {error}") from error

    def engine(self, source: str, target: str) -> "CTranslate2Engine":
        prefix, target_prefix = [[self._names[code]] if code in self._names else [] for code in (source, target)]
        return CTranslate2Engine(self, prefix, target_prefix)

    def close(self) -> None:
        self.translator.unload_model()


class CTranslate2Engine:
    """A model for one pair. CTranslate2 sorts sentences by length, so a device batch has like lengths."""

    def __init__(self, model: CTranslate2Model, prefix: Sequence[str], target_prefix: Sequence[str]) -> None:
        self.version = model.version
        self.traits = TRAITS
        self._model = model
        self._prefix, self._target_prefix = prefix, list(target_prefix)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """Translate all sentences at once. A score is exp of the mean log probability.

        `options["beam_size"]` overrides the configured one. Raises PermanentError unless it is from 1 to 16.
        """
        beam_size = beam_size_of(options) or self._model.options.beam_size
        with engine_errors("CTranslate2"):
            tokens = [self._model.tokenizer.encode(sentence, self._prefix) for sentence in sentences]
            found = [Translation("", is_cut=True)] * len(tokens)
            fitting = [at for at, some in enumerate(tokens) if len(some) <= self._model.most_tokens]
            for at, translation in zip(fitting, self._run([tokens[at] for at in fitting], beam_size), strict=True):
                found[at] = translation
            return found

    def _run(self, tokens: Sequence[list[str]], beam_size: int) -> list[Translation]:
        if not tokens:
            return []
        limits = [self._most_written(len(some)) for some in tokens]
        found = self._model.translator.translate_batch(
            tokens,
            target_prefix=[self._target_prefix] * len(tokens) if self._target_prefix else None,
            max_batch_size=self._model.options.batch_tokens,
            batch_type="tokens",
            beam_size=beam_size,
            # The library would cut silently.
            max_input_length=0,
            max_decoding_length=max(limits),
            return_end_token=True,
            return_scores=True,
        )
        return [
            self._translation(one.hypotheses[0], one.scores[0], limit)
            for one, limit in zip(found, limits, strict=True)
        ]

    def _most_written(self, source_tokens: int) -> int:
        wanted = longest_translation(source_tokens)
        positions = self._model.positions
        return wanted if positions is None else min(wanted, positions - len(self._target_prefix) - 1)

    def _translation(self, tokens: list[str], mean_log_probability: float, limit: int) -> Translation:
        prefix = self._target_prefix
        words = tokens[len(prefix) :] if tokens[: len(prefix)] == prefix else tokens
        # Each sentence has its own limit, so that its translation does not depend on its neighbours in the batch.
        is_cut = not words or words[-1] != _END or len(words) > limit
        text = self._model.tokenizer.decode([token for token in words[:limit] if token != _END])
        return Translation(text, score_of(mean_log_probability), is_cut)


class SentencePieceTokenizer:
    """SentencePiece: source.spm and target.spm (OPUS-MT), or one shared file (NLLB, M2M-100, MADLAD)."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = SentencePieceProcessor(model_file=str(source))
        self._target = SentencePieceProcessor(model_file=str(target))

    def encode(self, text: str, prefix: Sequence[str]) -> list[str]:
        return [*prefix, *self._source.encode(text, out_type=str), _END]

    def decode(self, tokens: Sequence[str]) -> str:
        return str(self._target.decode(list(tokens)))


class FileTokenizer:
    """The tokenizer.json of the Hugging Face library."""

    def __init__(self, file: Path) -> None:
        self._tokenizer = HuggingFaceTokenizer.from_file(str(file))

    def encode(self, text: str, prefix: Sequence[str]) -> list[str]:
        if not prefix:
            return list(self._tokenizer.encode(text).tokens)
        # The file adds the special tokens of one language only.
        return [*prefix, *self._tokenizer.encode(text, add_special_tokens=False).tokens, _END]

    def decode(self, tokens: Sequence[str]) -> str:
        ids = [found for token in tokens if (found := self._tokenizer.token_to_id(token)) is not None]
        return str(self._tokenizer.decode(ids))


def open_tokenizer(directory: Path) -> Tokenizer:
    """Return the tokenizer of a model folder. Raises FatalError naming the files it looked for."""
    source_file, target_file = directory / "source.spm", directory / "target.spm"
    if source_file.is_file() and target_file.is_file():
        return SentencePieceTokenizer(source_file, target_file)
    for name in ("sentencepiece.bpe.model", "spiece.model", "spm.model"):
        if (directory / name).is_file():
            return SentencePieceTokenizer(directory / name, directory / name)
    if (directory / "tokenizer.json").is_file():
        return FileTokenizer(directory / "tokenizer.json")
    raise FatalError(f"{directory} has no source.spm and target.spm, sentencepiece model or tokenizer.json")

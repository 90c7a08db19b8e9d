"""Text <-> tokens, by whatever tokenizer file lies beside a CTranslate2 model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer as HuggingFaceTokenizer

from schemas.errors import FatalError

_END = "</s>"
# FLORES-200 codes of NLLB differ from BCP-47; a model folder may name its own in dragoman-model.json.
LANGUAGE_TOKENS_FILE = "dragoman-model.json"


class Tokenizer(Protocol):
    """For one pair. `target_prefix` is what the decoder is forced to begin with."""

    target_prefix: list[str]

    def encode(self, text: str) -> list[str]:
        """Tokens with all special tokens of the model."""

    def decode(self, tokens: Sequence[str]) -> str:
        """Plain text."""


class SentencePieceTokenizer:
    """source.spm and target.spm (OPUS-MT), or one shared file (NLLB, M2M-100, MADLAD)."""

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
    """tokenizer.json of the Hugging Face library."""

    def __init__(self, file: Path, target_prefix: list[str]) -> None:
        self._tokenizer = HuggingFaceTokenizer.from_file(str(file))
        self.target_prefix = target_prefix

    def encode(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text).tokens)

    def decode(self, tokens: Sequence[str]) -> str:
        ids = [found for token in tokens if (found := self._tokenizer.token_to_id(token)) is not None]
        return str(self._tokenizer.decode(ids))


def open_tokenizer(directory: Path, source: str, target: str) -> Tokenizer:
    """The tokenizer of a model folder. Raises FatalError naming the files it looked for."""
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
    file = directory / LANGUAGE_TOKENS_FILE
    if not file.is_file():
        return {}
    return dict(json.loads(file.read_text()).get("language_tokens", {}))

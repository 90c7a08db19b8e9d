"""Run Mozilla's Firefox models with the bergamot engine (fxtranslate): on one CPU core, without scores."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fxtranslate import Translator
from sentencepiece import SentencePieceProcessor

from inference_workers.engines.protocol import Device, Traits, Translation, engine_errors
from inference_workers.engines.vocabulary import LIGATURES, unknown_letters
from schemas.errors import FatalError

# Characters that are not in the vocabularies of the Firefox models. They were found by translating "The sign X is
# used here." for each sign, and for every script that is not Latin.
_UNSEEN = re.compile(
    r"[#<>@\\^`{}~«»©®™•→←↑↓✓✗½¼¾²³¹µ§¶°†‡|¡¢£¤¥¦¬±·¿×÷´¨¸¯‰‱‹›′″‴※‼⁄]+"
    rf"|[^\x00-\u024f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf\u2190-\u21ff{LIGATURES}]+"
)
_SPELLINGS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'",
    "–": "-", "‐": "-", "‑": "-", "—": " - ", "…": "...", "\u00a0": " ", "\u00ad": "",
}  # fmt: skip

# The engine drops what lies behind 100 tokens and says nothing: of sentences that end in "bananas", those of 60 to
# 100 tokens kept the word, those of 104 and more lost it (en-pt and pt-en).
_MOST_TOKENS = 96

# On the placeholders of 300 real interface strings: QZ0 survives in 98 %, a URL in all of them.
TRAITS = Traits(is_one_by_one=True, mask_styles=("QZ{}", "https://x.co/{}"), unseen=_UNSEEN, spellings=_SPELLINGS)


def traits_of(known: Collection[str]) -> Traits:
    """Return the traits of a model whose vocabulary has these characters."""
    names, spellings = unknown_letters(known)
    unseen = re.compile(f"{names}|{_UNSEEN.pattern}") if names else _UNSEEN
    return replace(TRAITS, unseen=unseen, spellings={**_SPELLINGS, **spellings})


class BergamotEngine:
    """One Firefox model folder, which has one pair: the model and its engine at once.

    Use it in the thread that made it; it holds the GIL while it translates.
    """

    def __init__(self, directory: Path, version: str, device: Device = Device.AUTO) -> None:
        if device is Device.CUDA:
            raise FatalError(f"{directory}: bergamot runs on a CPU only; set DRAGOMAN_WORKER_DEVICE to auto")
        self.version = version
        self._translator, self._pieces = _load(directory)
        self.traits = traits_of(_characters_of(self._pieces))

    def engine(self, source: str, target: str) -> "BergamotEngine":  # noqa: ARG002  # the folder has one pair
        return self

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:  # noqa: ARG002  # this engine has no options
        with engine_errors("bergamot"):
            return [self._one(sentence) for sentence in sentences]

    def close(self) -> None:
        del self._translator

    def _one(self, sentence: str) -> Translation:
        if self._is_too_long(sentence):
            return Translation("", is_cut=True)
        return Translation(self._translator.translate(sentence))

    def _is_too_long(self, sentence: str) -> bool:
        # A token has one byte at least, so short sentences need not be counted.
        return len(sentence.encode()) > _MOST_TOKENS and len(self._pieces.encode(sentence)) > _MOST_TOKENS


def _characters_of(pieces: SentencePieceProcessor) -> frozenset[str]:
    return frozenset("".join(map(pieces.id_to_piece, range(pieces.get_piece_size()))))


def _load(directory: Path) -> tuple[Translator, SentencePieceProcessor]:
    vocabularies = sorted(directory.glob("*vocab*.spm"))
    sources = [file for file in vocabularies if file.name.startswith("src")] or vocabularies
    targets = [file for file in vocabularies if file.name.startswith("trg")] or vocabularies
    model = next(iter(directory.glob("model.*.bin")), None)
    if model is None or not vocabularies:
        raise FatalError(f"{directory} holds no Mozilla model (model.*.bin and vocab.*.spm)")
    shortlist = next(iter(directory.glob("lex.*.bin")), None)
    translator = Translator(
        model.read_bytes(),
        sources[0].read_bytes(),
        targets[0].read_bytes(),
        shortlist.read_bytes() if shortlist else None,
    )
    return translator, SentencePieceProcessor(model_file=str(sources[0]))

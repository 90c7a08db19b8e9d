"""Run Mozilla's Firefox models with the bergamot engine (fxtranslate): on one CPU core, without scores."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fxtranslate import Translator

from inference_workers.engines.protocol import Traits, Translation
from schemas.errors import FatalError

# Characters that are not in the vocabularies of the Firefox models. They were found by translating "The sign X is
# used here." for each sign, and for every script that is not Latin.
_UNSEEN = re.compile(
    r"[#<>@\\^`{}~«»©®™•→←↑↓✓✗½¼¾²³¹µ§¶°†‡|]+"
    "|[^\x00-\u024f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf\u2190-\u21ff]+"
)
_SPELLINGS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'",
    "–": "-", "—": " - ", "…": "...", "\u00a0": " ", "\u00ad": "",
}  # fmt: skip

# On the placeholders of 300 real interface strings: QZ0 survives in 98 %, a URL in all of them.
TRAITS = Traits(is_one_by_one=True, mask_styles=("QZ{}", "https://x.co/{}"), unseen=_UNSEEN, spellings=_SPELLINGS)


class BergamotEngine:
    """One Firefox model folder. Use it in the thread that made it; it holds the GIL while it translates."""

    def __init__(self, directory: Path, version: str) -> None:
        self.version = version
        self.traits = TRAITS
        self._translator = _load(directory)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:  # noqa: ARG002  # this engine has no options
        return [Translation(self._translator.translate(sentence)) for sentence in sentences]

    def close(self) -> None:
        del self._translator


def _load(directory: Path) -> Translator:
    vocabularies = sorted(directory.glob("*vocab*.spm"))
    sources = [file for file in vocabularies if file.name.startswith("src")] or vocabularies
    targets = [file for file in vocabularies if file.name.startswith("trg")] or vocabularies
    model = next(iter(directory.glob("model.*.bin")), None)
    if model is None or not vocabularies:
        raise FatalError(f"{directory} holds no Mozilla model (model.*.bin and vocab.*.spm)")
    shortlist = next(iter(directory.glob("lex.*.bin")), None)
    return Translator(
        model.read_bytes(),
        sources[0].read_bytes(),
        targets[0].read_bytes(),
        shortlist.read_bytes() if shortlist else None,
    )

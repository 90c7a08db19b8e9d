"""When two segments are the same: what intake looks up and what the workers remember must agree.

How many words a text has: the unit of throughput, cost and backlog. Pure.

Text between white space is one word. In scripts that are written without spaces, each character is one
word, as word processors and translation agencies count (Han, kana, Thai, Lao, Khmer, Burmese).
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

_KEY_BYTES = 20
_SEPARATOR = "\x1f"


def normalise(text: str) -> str:
    """The segment in Unicode NFC, trimmed, with every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def memory_key(model_version: str, source: str, target: str, glossary: str | None, normalised_segment: str) -> str:
    """The translation memory's key: BLAKE2b over all that decides a translation.

    `source` and `target` are the tags as they stand in the job.
    """
    parts = (model_version, source, target, glossary or "", normalised_segment)
    return hashlib.blake2b(_SEPARATOR.join(parts).encode(), digest_size=_KEY_BYTES).hexdigest()


_UNSPACED = re.compile(
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]"
)


def count_words(text: str) -> int:
    """Words of the text, whatever languages are mixed in it."""
    if text.isascii():
        return len(text.split())
    without, unspaced = _UNSPACED.subn(" ", text)
    return len(without.split()) + unspaced


@dataclass(frozen=True)
class Remembered:
    """A translation and its score, 0 to 1; None where the engine gave none."""

    text: str
    score: float | None = None

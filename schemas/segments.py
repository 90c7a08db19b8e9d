"""Identify a segment, and count its words. Pure.

Intake looks translations up under the key under which the workers remember them, so both use these functions.
Words are the unit of throughput, cost and backlog.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

_KEY_BYTES = 20
_SEPARATOR = "\x1f"
# Scripts that are written without spaces: Han, kana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]"
)


@dataclass(frozen=True)
class Remembered:
    """A translation and its score, 0 to 1; None where the engine gave none."""

    text: str
    score: float | None = None


def normalise(text: str) -> str:
    """Return the segment in Unicode NFC, trimmed, with every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def memory_key(model_version: str, source: str, target: str, glossary: str | None, normalised_segment: str) -> str:
    """Return the translation memory's key: BLAKE2b over everything that decides a translation.

    `source` and `target` are the tags as they stand in the job.
    """
    parts = (model_version, source, target, glossary or "", normalised_segment)
    return hashlib.blake2b(_SEPARATOR.join(parts).encode(), digest_size=_KEY_BYTES).hexdigest()


def count_words(text: str) -> int:
    """Count the words of a text in any mixture of languages.

    Text between white space is one word. In scripts without spaces each character is one word, as word processors
    and translation agencies count.
    """
    if text.isascii():
        return len(text.split())
    without, unspaced = _UNSPACED.subn(" ", text)
    return len(without.split()) + unspaced

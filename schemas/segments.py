"""When two segments are the same: what intake looks up and what the workers remember must agree."""

import hashlib
import unicodedata

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

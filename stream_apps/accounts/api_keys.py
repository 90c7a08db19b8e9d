"""Make API keys, and recognise them: `drg_<id>_<secret>`, with 32 random bytes as secret. Pure but for the dice.

A secret of 256 random bits cannot be guessed, so its SHA-256 is kept and no slow hash is needed: a request costs
microseconds.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_KEY = re.compile(r"drg_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_ID_BYTES, _SECRET_BYTES = 6, 32
PREFIX = "drg_"


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. `text` is shown once and kept nowhere."""

    key_id: str
    text: str
    digest: str

    def __repr__(self) -> str:
        return f"NewKey({self.key_id})"


def new_key() -> NewKey:
    """Make a key."""
    key_id = secrets.token_hex(_ID_BYTES)
    return known_key(f"{PREFIX}{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}")


def known_key(text: str) -> NewKey:
    """Return the key that somebody has. Raises ValueError for a text that is none."""
    key_id = key_id_of(text)
    if key_id is None:
        raise ValueError("no API key")
    return NewKey(key_id, text, digest_of(text))


def key_id_of(text: str) -> str | None:
    """Return the id in a key; None for a text that is none."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def digest_of(text: str) -> str:
    """Hash a key to 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_key(text: str, digest: str) -> bool:
    """Tell whether the digest is that of the key, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest_of(text), digest)

"""Issue and read the tokens that a login gives: JWT (RFC 7519), HS256 only, 24 hours.

The secrets stand in a file, one a line: the first one signs, all of them are accepted. So a secret is replaced by
a new first line, and the old one goes a day later.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from schemas.errors import FatalError
from stream_apps.accounts.refusals import UnauthenticatedError

SHORTEST_SECRET = 32
_ISSUER = "dragoman"
_ALGORITHM = "HS256"
_SKEW_MS = 30_000
_KEY_ID_DIGITS = 8
_MOST_REMEMBERED = 2048


@dataclass(frozen=True)
class Token:
    """What a token says. `issued_at_ms`: milliseconds since the epoch."""

    credential_id: str
    tenant: str
    issued_at_ms: int


class Tokens:
    """Signs and checks tokens. `lifetime_seconds` counts from the issue. Raises FatalError for a weak secret."""

    def __init__(self, known_secrets: Sequence[str], lifetime_seconds: int) -> None:
        if not known_secrets or min(map(len, known_secrets)) < SHORTEST_SECRET:
            raise FatalError(f"a secret of tokens needs {SHORTEST_SECRET} characters (openssl rand -hex 32)")
        self.lifetime_seconds = lifetime_seconds
        keys = [OctKey.import_key(one, {"kid": _key_id(one)}) for one in known_secrets]
        self._signing, self._known = keys[0], KeySet([*keys])
        # A signature costs more than all else that a call checks, and a session makes many calls.
        self._decoded = lru_cache(_MOST_REMEMBERED)(self._decode)

    def issue(self, token: Token, scopes: Sequence[str]) -> str:
        """Return the signed token."""
        issued_at = token.issued_at_ms / 1000
        claims = {
            "iss": _ISSUER,
            "aud": _ISSUER,
            "sub": token.credential_id,
            "tenant": token.tenant,
            "scopes": list(scopes),
            "iat": issued_at,
            "exp": issued_at + self.lifetime_seconds,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": self._signing.kid}, claims, self._signing, [_ALGORITHM])

    def read(self, text: str, now_ms: int) -> Token:
        """Return what a living token of ours says. Raises UnauthenticatedError for any other."""
        try:
            token, expires_at_ms = self._decoded(text)
        except (JoseError, ValueError, TypeError, KeyError):
            raise UnauthenticatedError("bad_token", "the token is none of this platform's") from None
        if now_ms > expires_at_ms + _SKEW_MS:
            raise UnauthenticatedError(
                "expired_token", "the token has expired", cure="log in again: POST /auth/login"
            )
        return token

    def _decode(self, text: str) -> tuple[Token, float]:
        return _read(jwt.decode(text, self._known, [_ALGORITHM]).claims)


def read_secrets(file: Path) -> list[str]:
    """Return the secrets of a file. Raises FatalError where it cannot be read."""
    try:
        return [line.strip() for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise FatalError(f"the secrets of tokens cannot be read: {error}") from error


def _read(claims: dict[str, Any]) -> tuple[Token, float]:
    if (claims["iss"], claims["aud"]) != (_ISSUER, _ISSUER):
        raise ValueError("another issuer")
    issued_at_ms = round(float(claims["iat"]) * 1000)
    return Token(str(claims["sub"]), str(claims["tenant"]), issued_at_ms), float(claims["exp"]) * 1000


def _key_id(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:_KEY_ID_DIGITS]

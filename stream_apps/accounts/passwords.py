"""Hash and check passwords with argon2id. Each call takes some 0.2 s of a core and 64 MB: call it in a thread."""

from functools import cache

from pwdlib import PasswordHash

from schemas.errors import PermanentError

SHORTEST, LONGEST = 10, 200


def hashed(password: str) -> str:
    """Return the argon2id string of a password. Raises PermanentError for one that nobody may have."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PermanentError(
            "bad_password",
            f"the password has {len(password)} characters",
            field="password",
            limit=f"{SHORTEST} to {LONGEST} characters",
            cure="choose a longer one" if len(password) < SHORTEST else "choose a shorter one",
        )
    if not _is_unicode(password):
        raise PermanentError(
            "bad_password",
            "the password holds what is no character",
            field="password",
            limit="Unicode without lone surrogates",
            cure="choose another one",
        )
    return _hasher().hash(password)


def is_password(password: str, known_hash: str | None) -> bool:
    """Tell whether the hash is the password's. Takes equally long where there is no hash to compare with."""
    if len(password) > LONGEST or not _is_unicode(password):
        return False
    if known_hash is None:
        _hasher().verify(password, _hash_of_nobody())
        return False
    return _hasher().verify(password, known_hash)


def _is_unicode(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash("a password that nobody has")

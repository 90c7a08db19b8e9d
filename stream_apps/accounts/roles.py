"""What a credential allows: scopes, and roles as named sets of them. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache

from schemas.errors import PermanentError


class Scope(StrEnum):
    """One kind of call. `tenants:admin` acts for every tenant; whoever has it is an operator of the platform."""

    READ_TRANSLATIONS = "translations:read"
    WRITE_TRANSLATIONS = "translations:write"
    READ_DOCUMENTS = "documents:read"
    WRITE_DOCUMENTS = "documents:write"
    READ_USAGE = "usage:read"
    WRITE_GLOSSARIES = "glossaries:write"
    ADMIN_KEYS = "keys:admin"
    ADMIN_TENANTS = "tenants:admin"


_VIEWER = frozenset({Scope.READ_TRANSLATIONS, Scope.READ_DOCUMENTS, Scope.READ_USAGE})
_MEMBER = _VIEWER | {Scope.WRITE_TRANSLATIONS, Scope.WRITE_DOCUMENTS, Scope.WRITE_GLOSSARIES}
_ADMIN = _MEMBER | {Scope.ADMIN_KEYS}
ROLES: dict[str, frozenset[Scope]] = {
    "viewer": _VIEWER,
    "member": _MEMBER,
    "admin": _ADMIN,
    "operator": _ADMIN | {Scope.ADMIN_TENANTS},
}


def granted(role: str, scopes: Sequence[str]) -> frozenset[Scope]:
    """Return what a role allows, narrowed to the scopes where there are any; nothing for an unknown role."""
    return _granted(role, tuple(scopes))


def parse_role(role: str) -> str:
    """Return the role. Raises PermanentError for one that does not exist."""
    if role not in ROLES:
        raise PermanentError(
            "unknown_role",
            f"no role is called {role!r}",
            field="role",
            limit=", ".join(ROLES),
            cure="name one of them",
        )
    return role


def parse_scopes(scopes: Iterable[str], role: str) -> tuple[str, ...]:
    """Return the scopes in order, each once. Raises PermanentError for one that the role does not allow."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in ROLES[role]:
            raise PermanentError(
                "unknown_scope",
                f"the role {role} has no scope {scope!r}",
                field="scopes",
                limit=", ".join(sorted(ROLES[role])),
                cure="leave the scope out, or choose a role that has it",
            )
    return tuple(wanted)


@lru_cache(maxsize=256)
def _granted(role: str, scopes: tuple[str, ...]) -> frozenset[Scope]:
    allowed = ROLES.get(role, frozenset())
    return allowed & set(scopes) if scopes else allowed

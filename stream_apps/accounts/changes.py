"""What may be changed in the accounts, and what the changed record then says. Pure.

Each function takes the directory as it is and returns the records to write. Raises PermanentError, which names the
field, the limit and the cure. `by` is who changes it, `now_ms` milliseconds since the epoch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.accounts import Credential, CredentialKind, Tenant, TenantStatus
from schemas.errors import PermanentError
from schemas.ids import event_id
from schemas.validity import check_tenant
from stream_apps.accounts.api_keys import NewKey
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.roles import parse_role, parse_scopes
from stream_apps.accounts.tiers import parse_limits, parse_tier

_LONGEST_NAME = 200
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")


@dataclass(frozen=True)
class Change:
    """Who changes something, and when."""

    by: str
    now_ms: int


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a new credential may do. `expires_at` 0: it never expires."""

    role: str = "member"
    scopes: Sequence[str] = ()
    expires_at: int = 0
    name: str = ""

    def checked(self, now_ms: int) -> "Rights":
        """Return them in order. Raises PermanentError for the first thing wrong."""
        check_name(self.name)
        if self.expires_at and self.expires_at <= now_ms:
            raise PermanentError(
                "bad_expiry",
                "the expiry has passed",
                field="expires_at",
                cure="name a moment in the future, or none",
            )
        role = parse_role(self.role)
        return replace(self, role=role, scopes=parse_scopes(self.scopes, role))


@dataclass(frozen=True, kw_only=True)
class TenantChange:
    """What becomes of a tenant; None leaves it as it is, and limits are added to those it has."""

    tier: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    status: TenantStatus | None = None
    retention_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class Login:
    """A new user: whose, with which e-mail address and which hash of a password."""

    tenant: str
    email: str
    secret_hash: str


def new_tenant(found: Directory, tenant: Tenant, change: Change) -> Tenant:
    """Return a tenant that does not exist yet."""
    check_tenant(tenant.tenant)
    if found.tenant(tenant.tenant):
        raise PermanentError(
            "tenant_exists",
            f"there is a tenant {tenant.tenant} already",
            field="tenant",
            cure="choose another name, or change that one: dragoman tenants change",
        )
    return _checked(replace(tenant, created_at=change.now_ms), change)


def changed_tenant(found: Directory, name: str, wish: TenantChange, change: Change) -> Tenant:
    """Return the tenant as it is wished."""
    tenant = known_tenant(found, name)
    changed = replace(
        tenant,
        tier=wish.tier or tenant.tier,
        limits={**tenant.limits, **wish.limits},
        status=str(wish.status or tenant.status),
        retention_days=tenant.retention_days if wish.retention_days is None else wish.retention_days,
    )
    return _checked(changed, change)


def new_user(found: Directory, login: Login, rights: Rights, change: Change) -> Credential:
    """Return a user who logs in with an e-mail address, unique on the whole platform, and a password."""
    known_tenant(found, login.tenant)
    email = login.email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise PermanentError(
            "bad_email",
            "the login is no e-mail address",
            field="email",
            limit="name@domain, without spaces",
            cure="correct it",
        )
    if found.user(email):
        raise PermanentError(
            "user_exists",
            f"there is a user {email} already",
            field="email",
            cure="choose another address, or change that one: dragoman users password",
        )
    # The same address gives the same id, so a user who was deleted and made again is not two.
    made = Credential(
        credential_id=event_id("user", email),
        tenant=login.tenant,
        kind=str(CredentialKind.PASSWORD),
        login=email,
        secret_hash=login.secret_hash,
    )
    return _new(made, rights, change)


def new_key(found: Directory, tenant: str, key: NewKey, rights: Rights, change: Change) -> Credential:
    """Return an API key. Only its digest goes into the record."""
    known_tenant(found, tenant)
    return _new(_of_key(key, tenant), rights, change)


def rotated_key(old: Credential, key: NewKey, overlap_ms: int, change: Change) -> list[Credential]:
    """Return a new key with the rights of the old one, and the old one, which lives on for the overlap."""
    check_living(old, change)
    rights = Rights(role=old.role, scopes=old.scopes, expires_at=old.expires_at, name=old.name)
    new = _new(_of_key(key, old.tenant), rights, change)
    ends_at = change.now_ms + overlap_ms
    return [new, _signed(replace(old, expires_at=min(old.expires_at or ends_at, ends_at)), change)]


def changed_rights(credential: Credential, rights: Rights, change: Change) -> Credential:
    """Return the credential with other rights."""
    check_living(credential, change)
    return _signed(replace(credential, **vars(rights.checked(change.now_ms))), change)


def revoked(credential: Credential, change: Change) -> Credential:
    """Return the credential dead; one that was dead before stays as it was."""
    return credential if credential.revoked_at else _signed(replace(credential, revoked_at=change.now_ms), change)


def with_password(credential: Credential, secret_hash: str, change: Change) -> Credential:
    """Return the user with another password, alive and with all sessions ended."""
    changed = replace(credential, secret_hash=secret_hash, revoked_at=0, tokens_valid_from=change.now_ms)
    return _signed(changed, change)


def logged_out(credential: Credential, change: Change) -> Credential:
    """Return the user with all sessions ended."""
    return _signed(replace(credential, tokens_valid_from=change.now_ms), change)


def known_tenant(found: Directory, name: str) -> Tenant:
    """Return the tenant. Raises PermanentError where there is none of that name."""
    tenant = found.tenant(name)
    if tenant is None:
        raise PermanentError(
            "unknown_tenant",
            f"there is no tenant {name[:100]!r}",
            field="tenant",
            cure="make it first: dragoman tenants create NAME",
        )
    return tenant


def known_credential(
    found: Directory, credential_id: str, kind: CredentialKind, tenant: str | None = None
) -> Credential:
    """Return the credential. Raises PermanentError where there is none, or it is another tenant's."""
    credential = found.user(credential_id) if kind == CredentialKind.PASSWORD else found.credential(credential_id)
    if credential is None or credential.kind != kind or tenant not in (None, credential.tenant):
        what, command = ("user", "users") if kind == CredentialKind.PASSWORD else ("key", "keys")
        raise PermanentError(
            f"unknown_{what}",
            f"there is no {what} {credential_id[:100]!r}",
            field=f"{what}_id",
            cure=f"see: dragoman {command} list",
        )
    return credential


def check_living(credential: Credential, change: Change) -> None:
    """Raise PermanentError for a credential that was revoked or has expired."""
    if credential.revoked_at or 0 < credential.expires_at <= change.now_ms:
        raise PermanentError(
            "dead_credential",
            f"{credential.login or credential.credential_id} was revoked or has expired",
            cure="make a new one",
        )


def check_name(name: str) -> None:
    """Check a name for people. Raises PermanentError."""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise PermanentError(
            "bad_name",
            "the name is too long or cannot be printed",
            field="name",
            limit=f"{_LONGEST_NAME} printable characters",
            cure="shorten it",
        )


def _of_key(key: NewKey, tenant: str) -> Credential:
    kind = str(CredentialKind.API_KEY)
    return Credential(credential_id=key.key_id, tenant=tenant, kind=kind, secret_hash=key.digest)


def _new(credential: Credential, rights: Rights, change: Change) -> Credential:
    now_ms = change.now_ms
    made = replace(credential, **vars(rights.checked(now_ms)), created_at=now_ms, tokens_valid_from=now_ms)
    return _signed(made, change)


def _checked(tenant: Tenant, change: Change) -> Tenant:
    check_name(tenant.name)
    tier, limits = parse_tier(tenant.tier), parse_limits(tenant.limits)
    return replace(tenant, tier=tier, limits=limits, changed_at=change.now_ms, changed_by=change.by)


def _signed(credential: Credential, change: Change) -> Credential:
    return replace(credential, changed_at=change.now_ms, changed_by=change.by)

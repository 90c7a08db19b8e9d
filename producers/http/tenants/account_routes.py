"""The routes of accounts: log in and out, who am I, and the API keys of one's own tenant."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from producers.http.admission.accounts import Accounts
from producers.http.admission.caller import AnyCaller, Caller, KeyAdmin
from producers.http.admission.logins import Logins
from producers.http.moments import Moment, milliseconds_of, moment_of
from producers.http.problems import responses
from schemas.accounts import Credential, CredentialKind
from stream_apps.accounts.api_keys import new_key as make_key
from stream_apps.accounts.changes import (
    Change,
    Rights,
    changed_rights,
    known_credential,
    new_key,
    revoked,
    rotated_key,
)
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.refusals import ForbiddenError
from stream_apps.accounts.roles import ROLES, Scope, granted

router = APIRouter(tags=["accounts"])

_KEYS = "/api/v1/keys"
_LONGEST_OVERLAP_SECONDS = 30 * 24 * 3600


class Login(BaseModel):
    """An e-mail address and its password."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=256)
    password: SecretStr = Field(max_length=1000)


class LoginResponse(BaseModel):
    """A token (RFC 6750): send it as `Authorization: Bearer TOKEN`."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(description="Seconds.")
    tenant: str
    scopes: list[str]


class AccountResponse(BaseModel):
    """Who is asking, and what they may do."""

    tenant: str
    tier: str
    role: str
    scopes: list[str]
    limits: dict[str, int] = Field(description="0: no limit.")
    grantable_roles: dict[str, list[str]] = Field(
        description="Roles that one may give to a key, each with its scopes; empty for who makes no keys."
    )


class KeyWish(BaseModel):
    """A new API key."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", description="For people.")
    role: str = Field(default="member", description=f"{', '.join(ROLES)}; not more than one's own.")
    scopes: list[str] = Field(default_factory=list, description="Narrow what the role allows; empty: all of it.")
    expires_at: Moment | None = Field(default=None, description="RFC 3339 with an offset; null: never.")


class KeyChange(BaseModel):
    """Other rights of a key; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    scopes: list[str] | None = None
    expires_at: Moment | None = None


class Rotation(BaseModel):
    """How the old key goes on."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(
        default=3600,
        strict=True,
        ge=0,
        le=_LONGEST_OVERLAP_SECONDS,
        description="The old key lives on for so long.",
    )


class KeyResponse(BaseModel):
    """An API key, without its secret."""

    key_id: str
    name: str
    role: str
    scopes: list[str]
    created_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKeyResponse(KeyResponse):
    """An API key that was just made."""

    api_key: str = Field(description="Shown this once.")


@router.post("/auth/login", responses=responses(401, 429))
async def log_in(login: Login, request: Request) -> LoginResponse:
    """Give a token for a password. It lives for 24 hours."""
    logins: Logins = request.app.state.logins
    session = await logins.log_in(login.email, login.password.get_secret_value())
    return LoginResponse(
        access_token=session.token,
        expires_in=session.lifetime_seconds,
        tenant=session.identity.tenant.tenant,
        scopes=sorted(session.identity.scopes),
    )


@router.post("/auth/logout", status_code=204)
async def log_out(caller: AnyCaller, request: Request) -> Response:
    """End all sessions of the user: every token that was issued before is dead."""
    logins: Logins = request.app.state.logins
    await logins.log_out(caller.credential_id)
    return Response(status_code=204)


@router.get("/api/v1/account")
async def read_account(caller: AnyCaller, request: Request) -> AccountResponse:
    """Show who one is, and what one may do."""
    credential = _accounts(request).directory.credential(caller.credential_id)
    return AccountResponse(
        tenant=caller.tenant,
        tier=caller.account.tier,
        role=credential.role if credential else "",
        scopes=sorted(caller.scopes),
        limits=vars(_accounts(request).limits(caller.account)),
        grantable_roles=_grantable_roles(caller),
    )


@router.post(_KEYS, status_code=201)
async def create_key(wish: KeyWish, caller: KeyAdmin, request: Request) -> NewKeyResponse:
    """Make a key for one's own tenant. Its text is in this answer only."""
    key, accounts = make_key(), _accounts(request)
    rights = Rights(role=wish.role, scopes=wish.scopes, expires_at=_expiry(wish.expires_at, 0), name=wish.name)
    _check_not_more(caller, rights)
    change = _change(caller, accounts)
    await accounts.change(lambda found: [new_key(found, caller.tenant, key, rights, change)])
    return _new_key_response(accounts.directory, key.key_id, key.text)


@router.get(_KEYS)
async def list_keys(caller: KeyAdmin, request: Request) -> list[KeyResponse]:
    """List the keys of one's own tenant, the dead ones too."""
    found = _accounts(request).directory.credentials(CredentialKind.API_KEY, caller.tenant)
    return [_key_response(one) for one in found]


@router.patch(f"{_KEYS}/{{key_id}}", responses=responses(404))
async def change_key(key_id: str, wish: KeyChange, caller: KeyAdmin, request: Request) -> KeyResponse:
    """Change the name, the scopes or the expiry of a key."""
    accounts = _accounts(request)
    change = _change(caller, accounts)

    def plan(found: Directory) -> Sequence[Credential]:
        old = known_credential(found, key_id, CredentialKind.API_KEY, caller.tenant)
        rights = Rights(
            role=old.role,
            scopes=old.scopes if wish.scopes is None else wish.scopes,
            expires_at=_expiry(wish.expires_at, old.expires_at),
            name=old.name if wish.name is None else wish.name,
        )
        _check_not_more(caller, rights)
        return [changed_rights(old, rights, change)]

    await accounts.change(plan)
    return _key_response(known_credential(accounts.directory, key_id, CredentialKind.API_KEY, caller.tenant))


@router.post(f"{_KEYS}/{{key_id}}/rotate", status_code=201, responses=responses(404))
async def rotate_key(key_id: str, wish: Rotation, caller: KeyAdmin, request: Request) -> NewKeyResponse:
    """Make a new key with the rights of an old one, which lives on for the overlap."""
    key, accounts = make_key(), _accounts(request)
    change, overlap_ms = _change(caller, accounts), wish.overlap_seconds * 1000

    def plan(found: Directory) -> Sequence[Credential]:
        old = known_credential(found, key_id, CredentialKind.API_KEY, caller.tenant)
        _check_not_more(caller, Rights(role=old.role, scopes=old.scopes))
        return rotated_key(old, key, overlap_ms, change)

    await accounts.change(plan)
    return _new_key_response(accounts.directory, key.key_id, key.text)


@router.delete(f"{_KEYS}/{{key_id}}", responses=responses(404))
async def revoke_key(key_id: str, caller: KeyAdmin, request: Request) -> KeyResponse:
    """Revoke a key: from now on it is refused. May be repeated."""
    accounts = _accounts(request)
    change = _change(caller, accounts)

    def plan(found: Directory) -> Sequence[Credential]:
        return [revoked(known_credential(found, key_id, CredentialKind.API_KEY, caller.tenant), change)]

    await accounts.change(plan)
    return _key_response(known_credential(accounts.directory, key_id, CredentialKind.API_KEY, caller.tenant))


def _expiry(moment: datetime | None, otherwise: int) -> int:
    """Return when a key is to expire, in milliseconds since the epoch; `otherwise` where no moment is named."""
    at_ms = milliseconds_of(moment)
    # 0 stands for never, and whoever names a moment does not mean that.
    return otherwise if at_ms is None else at_ms or 1


def _check_not_more(caller: Caller, rights: Rights) -> None:
    """Nobody makes a key that may do more than they may."""
    more = granted(rights.role, rights.scopes) - caller.scopes
    if more:
        raise ForbiddenError(
            "more_than_own",
            f"the key would have scopes that its maker has not: {', '.join(sorted(more))}",
            field="role",
            limit=", ".join(sorted(caller.scopes)),
            cure="choose a smaller role, or name its scopes",
        )


def _grantable_roles(caller: Caller) -> dict[str, list[str]]:
    if Scope.ADMIN_KEYS not in caller.scopes:
        return {}
    return {role: sorted(scopes) for role, scopes in ROLES.items() if scopes <= caller.scopes}


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.ports.accounts
    return accounts


def _change(caller: Caller, accounts: Accounts) -> Change:
    return Change(f"http:{caller.credential_id}", accounts.now_ms())


def _new_key_response(directory: Directory, key_id: str, text: str) -> NewKeyResponse:
    made = known_credential(directory, key_id, CredentialKind.API_KEY)
    return NewKeyResponse(**vars(_key_response(made)), api_key=text)


def _key_response(key: Credential) -> KeyResponse:
    return KeyResponse(
        key_id=key.credential_id,
        name=key.name,
        role=key.role,
        scopes=sorted(granted(key.role, key.scopes)),
        created_at=moment_of(key.created_at),
        expires_at=moment_of(key.expires_at),
        revoked_at=moment_of(key.revoked_at),
    )

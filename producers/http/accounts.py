"""Identify callers by what they show, let users log in and out, and change accounts. Knows no routes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from producers.http.problems import OverloadedError, TooManyRequestsError
from schemas.accounts import Credential, CredentialKind, Tenant
from schemas.errors import TransientError
from schemas.shares import Limits
from stream_apps.accounts.api_keys import PREFIX
from stream_apps.accounts.changes import Change, logged_out
from stream_apps.accounts.directory import Directory, Identity, check_active
from stream_apps.accounts.passwords import is_password
from stream_apps.accounts.rates import LocalRates
from stream_apps.accounts.refusals import UnauthenticatedError
from stream_apps.accounts.roles import granted
from stream_apps.accounts.store import Account, AccountStore, Plan
from stream_apps.accounts.tiers import UNLIMITED, Tiers
from stream_apps.accounts.tokens import Token, Tokens

_SCHEMES = ("bearer", "deepl-auth-key")
_LOGINS_PER_MINUTE = 5
# Each takes 64 MB and a core for a fifth of a second.
_CHECKS_AT_ONCE, _MOST_WAITING = 2, 20
_SEEN_SECONDS, _LOOK_SECONDS = 2.0, 0.01
_RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class Session:
    """What a login gives: the token, how long it lives, and what it allows."""

    token: str
    lifetime_seconds: int
    identity: Identity


@dataclass
class Accounts:
    """The accounts as this process knows them. `tokens` is None where no secret is configured: nobody logs in.

    `is_read` tells whether the directory is complete. `anonymous_tenant` stands for callers who show nothing;
    empty: they are refused. For one event loop.
    """

    directory: Directory
    store: AccountStore
    tokens: Tokens | None
    now_ms: Callable[[], int]
    tiers: Tiers
    is_read: Callable[[], bool] = lambda: True
    anonymous_tenant: str = ""
    _limits: dict[str, tuple[Tenant, Limits]] = field(default_factory=dict, init=False)
    _reads: LocalRates = field(default_factory=LocalRates, init=False)
    _logins: LocalRates = field(default_factory=LocalRates, init=False)
    _checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CHECKS_AT_ONCE), init=False)
    _waiting: int = field(default=0, init=False)
    _changes: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _changes_waiting: int = field(default=0, init=False)

    def identify(self, authorization: str, api_key: str) -> Identity:
        """Return who shows these two headers, either of them empty.

        Raises UnauthenticatedError, ForbiddenError for a suspended tenant, and TransientError while the accounts
        are being read.
        """
        shown = api_key or _shown_in(authorization)
        if not shown:
            return self._nobody()
        if not self.is_read():
            raise TransientError("this process is still reading the accounts", _RETRY_AFTER_SECONDS)
        if shown.startswith(PREFIX):
            return self.directory.holder_of_key(shown, self.now_ms())
        if self.tokens is None:
            raise UnauthenticatedError("unknown_key", "no such API key is known")
        return self.directory.holder_of_token(self.tokens.read(shown, self.now_ms()), self.now_ms())

    def limits_of(self, tenant: str) -> Limits:
        """Return the limits of the tenant that pays; none for one that nobody has made.

        Raises ForbiddenError for a suspended one.
        """
        known = self.directory.tenant(tenant)
        if known is None:
            return Limits()
        check_active(known)
        return self.limits(known)

    def limits(self, tenant: Tenant) -> Limits:
        """Return the limits of a tenant; worked out once for each of its records."""
        record, limits = self._limits.get(tenant.tenant, (None, Limits()))
        if record is not tenant:
            limits = self.tiers.of(tenant)
            self._limits[tenant.tenant] = tenant, limits
        return limits

    def count_read(self, tenant: Tenant) -> None:
        """Count a call that is no submission, in this process. Raises TooManyRequestsError."""
        most = self.limits(tenant).reads_per_minute
        if not most:
            return
        decision = self._reads.take(tenant.tenant, most, self.now_ms())
        if not decision.is_allowed:
            raise TooManyRequestsError(
                "too_many_reads", "too many calls in this minute", decision, limit=f"{most} a minute"
            )

    async def log_in(self, email: str, password: str) -> Session:
        """Return a session of the user with that password. Takes a fifth of a second, right or wrong.

        Raises UnauthenticatedError for a wrong one, TooManyRequestsError, OverloadedError while many log in.
        """
        if self.tokens is None:
            raise UnauthenticatedError(
                "no_logins", "nobody can log in here", "set DRAGOMAN_HTTP_TOKEN_SECRETS_FILE, or use an API key"
            )
        self._count_login(email.lower())
        user = self.directory.user(email)
        is_right = await self._check(password, user.secret_hash if user else None)
        if user is None or not is_right:
            raise UnauthenticatedError(
                "wrong_password", "the e-mail address or the password is wrong", "try again"
            )
        identity = self.directory.identity_of(user, self.now_ms())
        token = Token(user.credential_id, user.tenant, self.now_ms())
        return Session(self.tokens.issue(token, sorted(identity.scopes)), self.tokens.lifetime_seconds, identity)

    async def log_out(self, credential_id: str) -> None:
        """End all sessions of the user. Raises TransientError. Does nothing for a key, which has none."""

        def plan(found: Directory) -> Sequence[Credential]:
            user = found.credential(credential_id)
            is_user = user is not None and user.kind == CredentialKind.PASSWORD
            return [logged_out(user, Change(credential_id, self.now_ms()))] if user and is_user else []

        await self.change(plan)

    async def change(self, plan: Plan) -> Sequence[Account]:
        """Write what the plan returns, and return it once this process knows it, too.

        Raises TransientError, and OverloadedError while many wait.
        """
        if self._changes_waiting >= _MOST_WAITING:
            raise OverloadedError("too many change accounts at the same time", _RETRY_AFTER_SECONDS)
        self._changes_waiting += 1
        try:
            async with self._changes:
                accounts = await asyncio.to_thread(self.store.change, plan)
        finally:
            self._changes_waiting -= 1
        end = asyncio.get_running_loop().time() + _SEEN_SECONDS
        while not all(map(self._is_seen, accounts)) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_LOOK_SECONDS)
        return accounts

    def _nobody(self) -> Identity:
        if not self.anonymous_tenant:
            raise UnauthenticatedError("no_credentials", "this platform needs a key")
        # Without a record nobody has limited it.
        tenant = self.directory.tenant(self.anonymous_tenant) or Tenant(
            tenant=self.anonymous_tenant, tier=UNLIMITED
        )
        nobody = Credential(credential_id="", tenant=tenant.tenant, kind="")
        return Identity(tenant, nobody, granted("member", ()))

    def _is_seen(self, account: Account) -> bool:
        if isinstance(account, Tenant):
            known: Account | None = self.directory.tenant(account.tenant)
        else:
            known = self.directory.credential(account.credential_id)
        return known is not None and known.changed_at >= account.changed_at

    def _count_login(self, login: str) -> None:
        decision = self._logins.take(login[:200], _LOGINS_PER_MINUTE, self.now_ms())
        if not decision.is_allowed:
            raise TooManyRequestsError(
                "too_many_logins", "too many attempts to log in", decision, limit=f"{_LOGINS_PER_MINUTE} a minute"
            )

    async def _check(self, password: str, known_hash: str | None) -> bool:
        if self._waiting >= _MOST_WAITING:
            raise OverloadedError("too many log in at the same time", _RETRY_AFTER_SECONDS)
        self._waiting += 1
        try:
            async with self._checks:
                return await asyncio.to_thread(is_password, password, known_hash)
        finally:
            self._waiting -= 1


def _shown_in(authorization: str) -> str:
    scheme, _, shown = authorization.strip().partition(" ")
    if scheme and scheme.lower() not in _SCHEMES:
        raise UnauthenticatedError("bad_authorization", "the header Authorization names no scheme of ours")
    return shown.strip()

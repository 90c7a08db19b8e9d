"""Identify callers by what they show, know their limits, and change accounts. Knows no routes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from producers.http.blocking.waiting_line import WaitingLine
from producers.http.errors import TooManyRequestsError
from schemas.accounts import Credential, Tenant
from schemas.errors import TransientError
from schemas.shares import Limits
from stream_apps.accounts.api_keys import PREFIX
from stream_apps.accounts.directory import Directory, Identity, check_active
from stream_apps.accounts.rates import LocalRates
from stream_apps.accounts.refusals import UnauthenticatedError
from stream_apps.accounts.roles import granted
from stream_apps.accounts.store import Account, AccountStore, Plan
from stream_apps.accounts.tiers import UNLIMITED, Tiers
from stream_apps.accounts.tokens import Tokens

_SCHEMES = ("bearer", "deepl-auth-key")
_REFUSAL = "too many change accounts at the same time"
_SEEN_SECONDS, _LOOK_SECONDS = 2.0, 0.01
_RETRY_AFTER_SECONDS = 2


@dataclass
class Accounts:
    """The accounts as this process knows them. `tokens` is None where no secret is configured: nobody logs in.

    `is_read` tells whether the directory is complete. `anonymous_tenant` stands for callers who show nothing;
    empty: they are refused. `most_waiting` changes are under way or in line at a time. For one event loop.
    """

    directory: Directory
    store: AccountStore
    tokens: Tokens | None
    now_ms: Callable[[], int]
    tiers: Tiers
    is_read: Callable[[], bool] = lambda: True
    anonymous_tenant: str = ""
    most_waiting: int = 20
    _limits: dict[str, tuple[Tenant, Limits]] = field(default_factory=dict, init=False)
    _reads: LocalRates = field(default_factory=LocalRates, init=False)
    _changes: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self._changes = WaitingLine(1, self.most_waiting, _REFUSAL)

    def identify(self, authorization: str, api_key: str) -> Identity:
        """Return who shows these two headers, either of them empty.

        Raises UnauthenticatedError, ForbiddenError for a suspended tenant, and TransientError while the accounts
        are being read.
        """
        shown = api_key or _shown_in(authorization)
        if not shown:
            return self._nobody()
        self.check_read()
        if shown.startswith(PREFIX):
            return self.directory.holder_of_key(shown, self.now_ms())
        if self.tokens is None:
            raise UnauthenticatedError("unknown_key", "no such API key is known")
        return self.directory.holder_of_token(self.tokens.read(shown, self.now_ms()), self.now_ms())

    def check_read(self) -> None:
        """Raise TransientError while the accounts are being read."""
        if not self.is_read():
            raise TransientError("this process is still reading the accounts", _RETRY_AFTER_SECONDS)

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

    async def change(self, plan: Plan) -> Sequence[Account]:
        """Write what the plan returns, and return it once this process knows it, too.

        Raises TransientError, and OverloadedError while many wait.
        """
        accounts = await self._changes.run(self.store.change, plan)
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


def _shown_in(authorization: str) -> str:
    scheme, _, shown = authorization.strip().partition(" ")
    if scheme and scheme.lower() not in _SCHEMES:
        raise UnauthenticatedError("bad_authorization", "the header Authorization names no scheme of ours")
    return shown.strip()

"""Let users log in and out. A login is slow on purpose, so only a few are under way at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from producers.http.admission.accounts import Accounts
from producers.http.blocking.waiting_line import WaitingLine
from producers.http.errors import TooManyRequestsError
from producers.http.settings import HttpLimits
from schemas.accounts import Credential, CredentialKind
from stream_apps.accounts.changes import Change, logged_out
from stream_apps.accounts.directory import Directory, Identity
from stream_apps.accounts.passwords import is_password
from stream_apps.accounts.rates import LocalRates
from stream_apps.accounts.refusals import UnauthenticatedError
from stream_apps.accounts.tokens import Token

_LONGEST_LOGIN = 200


@dataclass(frozen=True)
class Session:
    """What a login gives: the token, how long it lives, and what it allows."""

    token: str
    lifetime_seconds: int
    identity: Identity


@dataclass
class Logins:
    """The logins of one process. For one event loop."""

    accounts: Accounts
    limits: HttpLimits
    _rates: LocalRates = field(default_factory=LocalRates, init=False)
    _checks: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self._checks = WaitingLine(
            limits.password_checks, limits.max_waiting_logins, "too many log in at the same time"
        )

    async def log_in(self, email: str, password: str) -> Session:
        """Return a session of the user with that password. Takes a fifth of a second, right or wrong.

        Raises UnauthenticatedError for a wrong one, TooManyRequestsError, OverloadedError while many log in.
        """
        accounts, tokens = self.accounts, self.accounts.tokens
        if tokens is None:
            raise UnauthenticatedError(
                "no_logins", "nobody can log in here", "set DRAGOMAN_HTTP_TOKEN_SECRETS_FILE, or use an API key"
            )
        accounts.check_read()
        self._count(email.lower())
        user = accounts.directory.user(email)
        is_right = await self._check(password, user.secret_hash if user else None)
        if user is None or not is_right:
            raise UnauthenticatedError(
                "wrong_password", "the e-mail address or the password is wrong", "try again"
            )
        identity = accounts.directory.identity_of(user, accounts.now_ms())
        token = Token(user.credential_id, user.tenant, accounts.now_ms())
        return Session(tokens.issue(token, sorted(identity.scopes)), tokens.lifetime_seconds, identity)

    async def log_out(self, credential_id: str) -> None:
        """End all sessions of the user. Raises TransientError. Does nothing for a key, which has none."""
        change = Change(f"http:{credential_id}", self.accounts.now_ms())

        def plan(found: Directory) -> Sequence[Credential]:
            user = found.credential(credential_id)
            return [logged_out(user, change)] if user and user.kind == CredentialKind.PASSWORD else []

        known = self.accounts.directory.credential(credential_id)
        if known and known.kind == CredentialKind.PASSWORD:
            await self.accounts.change(plan)

    def _count(self, login: str) -> None:
        most = self.limits.logins_per_minute
        decision = self._rates.take(login[:_LONGEST_LOGIN], most, self.accounts.now_ms())
        if not decision.is_allowed:
            raise TooManyRequestsError(
                "too_many_logins", "too many attempts to log in", decision, limit=f"{most} a minute"
            )

    async def _check(self, password: str, known_hash: str | None) -> bool:
        return await self._checks.run(is_password, password, known_hash)

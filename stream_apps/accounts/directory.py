"""All tenants and credentials in memory, as the account topics tell of them. Not thread-safe for two writers.

One thread adds records; any thread may look things up meanwhile.
"""

from dataclasses import dataclass

import structlog

from schemas.accounts import Credential, CredentialKind, Tenant
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import Message
from schemas.records import InboundRecord
from schemas.topics import CREDENTIALS, TENANTS
from stream_apps.accounts.api_keys import is_key, key_id_of
from stream_apps.accounts.refusals import ForbiddenError, UnauthenticatedError
from stream_apps.accounts.roles import Scope, granted
from stream_apps.accounts.tokens import Token

log = structlog.get_logger()


@dataclass(frozen=True)
class Identity:
    """Who is asking, and what they may do."""

    tenant: Tenant
    credential: Credential
    scopes: frozenset[Scope]


class Directory:
    """The accounts of the platform."""

    def __init__(self, codec: Codec | None = None) -> None:
        self._codec = codec or Codec()
        self._tenants: dict[str, Tenant] = {}
        self._credentials: dict[str, Credential] = {}
        self._logins: dict[str, str] = {}

    def add(self, record: InboundRecord) -> None:
        """Take in the next record of its topic. One that cannot be read changes nothing."""
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._forget(record.topic, key)
            return
        try:
            self.put(self._codec.decode(record.value, Tenant if record.topic == TENANTS else Credential))
        except PermanentError as error:
            log.error("account_unreadable", record=record.coordinates, error=error.message)

    def put(self, message: Message) -> None:
        """Take in a tenant or a credential."""
        if isinstance(message, Tenant):
            self._tenants[message.tenant] = message
        elif isinstance(message, Credential):
            self._forget(CREDENTIALS, message.credential_id)
            self._credentials[message.credential_id] = message
            if message.kind == CredentialKind.PASSWORD:
                self._logins[message.login] = message.credential_id

    def tenant(self, name: str) -> Tenant | None:
        """Return the tenant of that name."""
        return self._tenants.get(name)

    def credential(self, credential_id: str) -> Credential | None:
        """Return the credential, living or not."""
        return self._credentials.get(credential_id)

    def user(self, login: str) -> Credential | None:
        """Return the password of an e-mail address, living or not."""
        return self._credentials.get(self._logins.get(login.lower(), ""))

    def tenants(self) -> list[Tenant]:
        """Return all tenants by name."""
        return sorted(self._tenants.values(), key=lambda one: one.tenant)

    def credentials(self, kind: CredentialKind, tenant: str | None = None) -> list[Credential]:
        """Return the credentials of that kind, of one tenant or of all, the oldest first."""
        found = [one for one in self._credentials.values() if one.kind == kind and tenant in (None, one.tenant)]
        return sorted(found, key=lambda one: (one.created_at, one.credential_id))

    def holder_of_key(self, text: str, now_ms: int) -> Identity:
        """Return whose API key it is. Raises UnauthenticatedError, or ForbiddenError for a suspended tenant."""
        known = self._credentials.get(key_id_of(text) or "")
        # The same answer for an unknown key and for a wrong secret: neither tells which ids exist.
        if known is None or known.kind != CredentialKind.API_KEY or not is_key(text, known.secret_hash):
            raise UnauthenticatedError("unknown_key", "no such API key is known")
        return self.identity_of(known, now_ms)

    def holder_of_token(self, token: Token, now_ms: int) -> Identity:
        """Return who logged in. Raises UnauthenticatedError, or ForbiddenError for a suspended tenant."""
        known = self._credentials.get(token.credential_id)
        again = "log in again: POST /auth/login"
        if known is None or known.tenant != token.tenant:
            raise UnauthenticatedError("unknown_user", "the user of this token does not exist any more", again)
        if token.issued_at_ms < known.tokens_valid_from:
            raise UnauthenticatedError("ended_token", "the session of this token was ended", again)
        return self.identity_of(known, now_ms)

    def identity_of(self, credential: Credential, now_ms: int) -> Identity:
        """Return what a credential that was proved allows now. Raises as `holder_of_key` does."""
        if credential.revoked_at:
            raise UnauthenticatedError("revoked_credential", "this key or user was revoked")
        if credential.expires_at and now_ms >= credential.expires_at:
            raise UnauthenticatedError("expired_credential", "this key or user has expired")
        tenant = self._tenants.get(credential.tenant) or Tenant(tenant=credential.tenant, status="")
        check_active(tenant)
        return Identity(tenant, credential, granted(credential.role, credential.scopes))

    def _forget(self, topic: str, key: str) -> None:
        if topic == TENANTS:
            self._tenants.pop(key, None)
            return
        gone = self._credentials.pop(key, None)
        if gone and self._logins.get(gone.login) == key:
            del self._logins[gone.login]


def check_active(tenant: Tenant) -> None:
    """Raise ForbiddenError for a suspended tenant."""
    if not tenant.is_active:
        raise ForbiddenError(
            "tenant_suspended", f"the tenant {tenant.tenant} is suspended", cure="ask the operators why"
        )

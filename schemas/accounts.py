"""The messages of accounts: who may ask, as what, and how much. Kept in compacted topics (docs/accounts.md).

The newest record of a key counts, and a tombstone deletes it. Times are milliseconds since the epoch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.messages import Message


class TenantStatus(StrEnum):
    """Whether requests of a tenant are taken. On the wire a string: an unknown one counts as SUSPENDED."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class CredentialKind(StrEnum):
    """How a credential is shown: an e-mail address with a password, or an API key.

    WEBHOOK_SECRET lets nobody in: it names a secret with which webhooks are signed.
    """

    PASSWORD = "password"
    API_KEY = "api_key"
    WEBHOOK_SECRET = "webhook_secret"


@dataclass(frozen=True, kw_only=True)
class Tenant(Message):
    """Whoever asks and pays. Topic translation.tenants, key = tenant.

    `limits` overrides numbers of the tier by their names (stream_apps/accounts/tiers.py).
    """

    tenant: str
    name: str = ""
    tier: str = "free"
    status: str = TenantStatus.ACTIVE.value
    memory_scope: str = ""
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    retention_days: int = 0
    created_at: int = 0
    changed_at: int = 0
    changed_by: str = ""

    @property
    def is_active(self) -> bool:
        """Tell whether requests of the tenant are taken."""
        return self.status == TenantStatus.ACTIVE


@dataclass(frozen=True, kw_only=True)
class Credential(Message):
    """A way to prove who one is. Topic translation.credentials, key = credential_id.

    `secret_hash`: of an API key its SHA-256 in hexadecimal digits, of a password an argon2id string. `scopes`
    narrows what the role allows; empty: all of it. `expires_at` 0: never. Tokens issued before
    `tokens_valid_from` are dead.
    """

    credential_id: str
    tenant: str
    kind: str
    name: str = ""
    login: str = ""
    secret_hash: str = ""
    role: str = "member"
    scopes: Sequence[str] = ()
    expires_at: int = 0
    revoked_at: int = 0
    tokens_valid_from: int = 0
    created_at: int = 0
    changed_at: int = 0
    changed_by: str = ""

"""The secrets with which webhooks of a tenant are signed: each derived, none kept.

A secret is HMAC-SHA256 of a platform secret, which a file holds, over the id of a credential of kind
`webhook_secret`. Kafka knows the ids and their expiry only, so who reads its topics signs nothing. A tenant
without such a credential has its first secret, of an id that follows from its name.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.accounts import Credential, CredentialKind
from schemas.errors import FatalError
from schemas.ids import event_id
from stream_apps.accounts.changes import Change, known_tenant
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.tokens import SHORTEST_SECRET, read_secrets

PREFIX = "whsec_"
_ID_BYTES = 6


class SigningSettings(Section):
    """DRAGOMAN_SIGNING_*: the platform secrets from which those of webhooks are derived."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_SIGNING_", frozen=True, extra="forbid")

    secrets_file: Path | None = Field(
        default=None,
        description="File of platform secrets, one a line, 32 characters at least; webhooks carry a signature by "
        "each, and the first one is shown. The same for http and webhooks, which does not start without it.",
    )

    def open(self) -> "WebhookSecrets | None":
        """Read the file; None for an empty one, or none. Raises FatalError for one that cannot be used."""
        found = read_secrets(self.secrets_file) if self.secrets_file else []
        return WebhookSecrets(found) if found else None


@dataclass(frozen=True)
class WebhookSecret:
    """One secret of a tenant (`whsec_` and base64 of 32 bytes). Times in milliseconds; `expires_at` 0: none."""

    text: str
    created_at: int
    expires_at: int

    def __repr__(self) -> str:
        return f"WebhookSecret(expires_at={self.expires_at})"


class WebhookSecrets:
    """Derives secrets. Raises FatalError for a weak platform secret."""

    def __init__(self, platform_secrets: Sequence[str]) -> None:
        if not platform_secrets or min(map(len, platform_secrets)) < SHORTEST_SECRET:
            raise FatalError(f"a platform secret needs {SHORTEST_SECRET} characters (openssl rand -hex 32)")
        self._platform_secrets = [one.encode() for one in platform_secrets]

    def shown(self, found: Directory, tenant: str, now_ms: int) -> list[WebhookSecret]:
        """Return the living secrets of a tenant as its receivers should know them, the newest first."""
        return [self._derived(self._platform_secrets[0], one) for one in living(found, tenant, now_ms)]

    def signing(self, found: Directory, tenant: str, now_ms: int) -> list[str]:
        """Return all secrets that a webhook of the tenant is signed with now, those of `shown` first."""
        ids = living(found, tenant, now_ms)
        return [self._derived(platform, one).text for platform in self._platform_secrets for one in ids]

    def _derived(self, platform_secret: bytes, credential: Credential) -> WebhookSecret:
        message = f"webhook/{credential.tenant}/{credential.credential_id}".encode()
        digest = hmac.new(platform_secret, message, hashlib.sha256).digest()
        text = PREFIX + base64.b64encode(digest).decode()
        return WebhookSecret(text, credential.created_at, credential.expires_at)


def living(found: Directory, tenant: str, now_ms: int) -> list[Credential]:
    """Return the credentials behind the living secrets of a tenant, the newest first; there is always one."""
    known = found.credentials(CredentialKind.WEBHOOK_SECRET, tenant)
    alive = [one for one in known if not one.revoked_at and not 0 < one.expires_at <= now_ms]
    return alive[::-1] or [_first(tenant)]


def rotated(found: Directory, tenant: str, overlap_ms: int, change: Change) -> list[Credential]:
    """Return a new secret, and the ones before it, which live on for the overlap. Raises PermanentError."""
    known_tenant(found, tenant)
    ends_at = change.now_ms + overlap_ms
    first = _first(tenant)
    new = replace(first, credential_id=secrets.token_hex(_ID_BYTES), created_at=change.now_ms)
    old = [
        replace(one, expires_at=min(one.expires_at or ends_at, ends_at))
        for one in living(found, tenant, change.now_ms)
    ]
    return [replace(one, changed_at=change.now_ms, changed_by=change.by) for one in (new, *old)]


def _first(tenant: str) -> Credential:
    kind, credential_id = str(CredentialKind.WEBHOOK_SECRET), event_id("webhook_secret", tenant)
    return Credential(credential_id=credential_id, tenant=tenant, kind=kind, role="viewer")

"""Accounts for tests: the tenants they use, and keys of any role."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.local.first_key import read_key
from producers.http.admission.accounts import Accounts
from schemas.accounts import Tenant
from stream_apps.accounts.api_keys import NewKey, new_key
from stream_apps.accounts.changes import Change, Rights, new_tenant
from stream_apps.accounts.changes import new_key as key_record
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.accounts.tiers import Tiers
from stream_apps.accounts.tokens import Tokens

NOW_MS = 1_700_000_000_000
TENANTS = ("default", "acme", "globex")
SECRET = "a secret of tokens that only tests know"


def tenants(store: InMemoryAccounts, now_ms: int = NOW_MS, **fields: Any) -> InMemoryAccounts:
    """Make the tenants, without limits unless `fields` say otherwise."""
    wishes = [replace(Tenant(tenant=name, tier="unlimited"), **fields) for name in TENANTS]
    store.change(lambda found: [new_tenant(found, wish, Change("tests", now_ms)) for wish in wishes])
    return store


def key_of(store: InMemoryAccounts, tenant: str = "default", now_ms: int = NOW_MS, **rights: Any) -> NewKey:
    """Make a key of that tenant."""
    key = new_key()
    store.change(lambda found: [key_record(found, tenant, key, Rights(**rights), Change("tests", now_ms))])
    return key


def bearer(text: str) -> dict[str, str]:
    """Return the header that shows a key or a token."""
    return {"Authorization": f"Bearer {text}"}


def local_key(root: Path) -> dict[str, str]:
    """Return the header that shows the operator's key of the stack in that root."""
    return bearer(read_key(root))


def accounts_of(store: InMemoryAccounts, now_ms: int = NOW_MS, tiers: Tiers | None = None) -> Accounts:
    """Return the accounts as the HTTP process has them."""
    return Accounts(store.directory, store, Tokens([SECRET], 24 * 3600), lambda: now_ms, tiers or Tiers())

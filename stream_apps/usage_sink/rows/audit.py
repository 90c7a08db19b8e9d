"""Turn orders and changes of accounts into rows of `audit`: who did what, and when. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from schemas.accounts import Credential, Tenant
from schemas.codec import Codec
from schemas.own_topics import order_of
from schemas.records import InboundRecord
from schemas.validity import check_key, check_length, check_texts
from stream_apps.usage_sink.rows.parts import OLDEST_MS, TableRow, check_time, coordinates_of, key_of


def order_rows(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    """Yield the row of `audit` that an order is. Raises PermanentError."""
    order = order_of(record, codec)
    check_key(order.key)
    for field in ("requested_by", "cause"):
        check_length(field, getattr(order, field))
    # The broker's time: anybody may write an order.
    check_time("timestamp", record.timestamp_ms, now_ms)
    yield (
        "audit",
        {
            "actor": order.requested_by,
            "action": str(order.action).lower(),
            **order.key._asdict(),
            "subject": "",
            "cause": order.cause,
            "detail": {},
            "at": record.timestamp_ms,
            **coordinates_of(record),
        },
    )


def tenant_rows(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    """Yield the row of `audit` that a change of a tenant is. Raises PermanentError."""
    if record.value is None:
        change = _AccountChange("", "tenant_removed", key_of(record), {})
    else:
        found = codec.decode(record.value, Tenant)
        known = {"tier": found.tier, "status": found.status, "retention_days": str(found.retention_days)}
        limits = {name: str(number) for name, number in found.limits.items()}
        change = _AccountChange(found.changed_by, f"tenant_{_verb(found)}", found.tenant, known | limits)
    yield from _account(record, change, now_ms)


def credential_rows(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    """Yield the row of `audit` that a change of a user or a key is. Raises PermanentError."""
    if record.value is None:
        change = _AccountChange("", "credential_removed", "", {})
    else:
        found = codec.decode(record.value, Credential)
        verb = "revoked" if found.revoked_at else _verb(found)
        known = {"kind": found.kind, "role": found.role, "scopes": " ".join(found.scopes)}
        change = _AccountChange(found.changed_by, f"credential_{verb}", found.tenant, known)
    yield from _account(record, change, now_ms)


class _AccountChange(NamedTuple):
    """Who did what to an account of which tenant, and how it is now. A removal names nobody: it is only a key."""

    actor: str
    action: str
    tenant: str
    detail: Mapping[str, str]


def _verb(account: Tenant | Credential) -> str:
    return "changed" if account.created_at < account.changed_at else "created"


def _account(record: InboundRecord, change: _AccountChange, now_ms: int) -> Iterator[TableRow]:
    # Accounts are kept for ever, and a new database reads all of them: those of long ago are no news.
    if record.timestamp_ms < now_ms - OLDEST_MS:
        return
    row = {**change._asdict(), "subject": key_of(record)}
    for field in ("actor", "tenant", "subject"):
        check_length(field, row[field])
    check_texts("detail", change.detail)
    check_time("timestamp", record.timestamp_ms, now_ms)
    yield "audit", {**row, "request_id": "", "cause": "", "at": record.timestamp_ms, **coordinates_of(record)}

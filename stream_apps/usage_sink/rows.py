"""Turn results, dead letters, orders, accounts and what processes tell of themselves into rows. Pure.

No text and no message goes in: ClickHouse is read by people who may see figures and not what was translated. Nor
does an address of a user, a name, or the hash of a secret.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.accounts import Credential, Tenant
from schemas.codec import Codec
from schemas.events import DeadLetter, OperationEvent
from schemas.messages import TranslationResult
from schemas.own_topics import order_of
from schemas.priorities import SLA_SECONDS, parse_priority
from schemas.records import InboundRecord
from schemas.states import OperationKind, WorkerState, cut_at_full_hours, parse_member
from schemas.topics import (
    CREDENTIALS,
    DAY_MS,
    DEAD_LETTERS,
    OPERATIONS,
    RESULTS,
    TENANTS,
    control_topics,
    is_control,
)
from schemas.validity import (
    LATEST_MS,
    check_id,
    check_key,
    check_length,
    check_names,
    check_number,
    check_texts,
    out_of_bounds,
)
from stream_apps.usage_sink.inserting import Row

TableRow = tuple[str, Row]
"""The name of a table and one row of it."""

# ClickHouse keeps rows for 400 days in one part per month, and takes at most 100 parts in one insert.
OLDEST_MS, NEWEST_MS = 400 * DAY_MS, DAY_MS
# A worker tells of itself every few minutes, so one interval is never long.
_LONGEST_INTERVAL_MS = 2 * DAY_MS
_MOST_FIGURES = 64
_COUNTS = (
    "units", "segments", "cached_segments", "source_words", "cached_words", "target_words", "source_characters",
    "target_characters",
)  # fmt: skip
# Of dead letters.
_OF_ALL = ("stage", "cause", "attempt", "topic", "partition", "offset")
_OF_SOME = ("field", "tenant", "request_id")
_NAMES = (
    "kind", "priority", "pool", "source_language", "detected_language", "target_language", "content_type",
    "pipeline_version", "model", "device", "market",
)  # fmt: skip


def rows_of(record: InboundRecord, codec: Codec, now_ms: int) -> list[TableRow]:
    """Return what a record of one of these topics says. Raises PermanentError where it makes no sense."""
    rows = _order if is_control(record.topic) else _ROWS[record.topic]
    return list(rows(record, codec, now_ms))


def _result(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    if record.value is None:
        return
    result = codec.decode(record.value, TranslationResult)
    _check_result(result, now_ms)
    yield "requests", {**_request_row(result), **_coordinates(record)}


def _check_result(result: TranslationResult, now_ms: int) -> None:
    check_key(result.key)
    _check_time("completed_at", result.completed_at, now_ms)
    check_number("submitted_at", result.submitted_at, most=LATEST_MS)
    check_number("busy_ms", result.busy_ms, most=LATEST_MS)
    check_number("confidence", result.confidence or 0.0, most=1)
    check_number("version", result.version)
    check_texts("labels", result.labels)
    _check_figures("timings", result.timings)
    for field in _COUNTS:
        check_number(field, getattr(result, field))
    for field in _NAMES:
        check_length(field, getattr(result, field) or "")


def _request_row(result: TranslationResult) -> Row:
    seconds = {f"{stage}_seconds": result.timings.get(stage, 0.0) for stage in ("queue", "translate", "total")}
    return {
        **result.key._asdict(),
        **{field: getattr(result, field) or "" for field in _NAMES},
        **{field: getattr(result, field) for field in _COUNTS},
        **seconds,
        "answer": result.version,
        "status": str(result.status or ""),
        "cause": _cause_of(result),
        "labels": result.labels,
        "failed_segments": len(result.holes),
        "warnings": sum(warning.count for warning in result.warnings),
        "confidence": result.confidence,
        "busy_ms": result.busy_ms,
        "stage_seconds": result.timings,
        "sla_seconds": SLA_SECONDS[parse_priority(result.priority)],
        "submitted_at": result.submitted_at,
        "completed_at": result.completed_at,
    }


def _dead_letter(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    letter_id = _key(record)
    check_id("dead_letter_id", letter_id)
    letter = None if record.value is None else codec.decode(record.value, DeadLetter)
    at = record.timestamp_ms if letter is None else letter.failed_at
    _check_time("at", at, now_ms)
    known = {"event": "closed", **_CLOSED} if letter is None else {"event": "opened", **_opened(letter)}
    yield "dead_letters", {"dead_letter_id": letter_id, **known, "at": at, **_coordinates(record)}


def _opened(letter: DeadLetter) -> Row:
    for field in ("stage", "cause", "topic", *_OF_SOME):
        check_length(field, getattr(letter, field) or "")
    for field in ("attempt", "partition"):
        check_number(field, getattr(letter, field))
    check_number("offset", letter.offset, most=LATEST_MS)
    return {
        **{field: getattr(letter, field) for field in _OF_ALL},
        **{field: getattr(letter, field) or "" for field in _OF_SOME},
        "batch_number": -1 if letter.batch_number is None else letter.batch_number,
        "segment": -1 if letter.segment is None else letter.segment,
    }


def _order(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    order = order_of(record, codec)
    check_key(order.key)
    for field in ("requested_by", "cause"):
        check_length(field, getattr(order, field))
    # The broker's time: anybody may write an order.
    _check_time("timestamp", record.timestamp_ms, now_ms)
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
            **_coordinates(record),
        },
    )


def _tenant(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    if record.value is None:
        change = _AccountChange("", "tenant_removed", _key(record), {})
    else:
        found = codec.decode(record.value, Tenant)
        known = {"tier": found.tier, "status": found.status, "retention_days": str(found.retention_days)}
        limits = {name: str(number) for name, number in found.limits.items()}
        change = _AccountChange(found.changed_by, f"tenant_{_verb(found)}", found.tenant, known | limits)
    yield from _account(record, change, now_ms)


def _credential(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
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
    row = {**change._asdict(), "subject": _key(record)}
    for field in ("actor", "tenant", "subject"):
        check_length(field, row[field])
    check_texts("detail", change.detail)
    _check_time("timestamp", record.timestamp_ms, now_ms)
    yield "audit", {**row, "request_id": "", "cause": "", "at": record.timestamp_ms, **_coordinates(record)}


def _operation(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    event = codec.decode(record.value, OperationEvent)
    check_id("event_id", event.event_id)
    check_id("actor", event.actor)
    for field in ("pool", "device", "market", "state"):
        check_length(field, getattr(event, field))
    _check_time("at", event.at, now_ms)
    _check_figures("figures", event.figures)
    check_names("priorities", event.priorities)
    if event.kind is OperationKind.WORKER:
        yield from _intervals(event)
    else:
        yield "scale_decisions", _decision(event)


def _intervals(event: OperationEvent) -> Iterator[TableRow]:
    """Yield the interval cut at full hours, so that each row belongs to one hour."""
    state = parse_member(WorkerState, "state", event.state)
    check_number("since", event.since, least=event.at - _LONGEST_INTERVAL_MS, most=event.at)
    known = {"worker": event.actor, "pool": event.pool, "device": event.device, "market": event.market}
    for since, until in cut_at_full_hours(event.since, event.at):
        yield "worker_intervals", {**known, "state": str(state), "since": since, "until": until}


def _decision(event: OperationEvent) -> Row:
    counts = {name: int(event.figures.get(name, 0.0)) for name in ("replicas", "needed", "ready", "pending")}
    for name, count in counts.items():
        check_number(name, count)
    by_priority = ("backlog_words", "arriving_words_per_second", "oldest_seconds")
    return {
        "event_id": event.event_id,
        "pool": event.pool,
        "autoscaler": event.actor,
        "reason": event.state,
        **counts,
        **{name: event.figures.get(name, 0.0) for name in ("replica_words_per_second", "startup_seconds")},
        **{name: _of_priorities(event.figures, name) for name in by_priority},
        "out_of_reach": list(event.priorities),
        "at": event.at,
    }


def _of_priorities(figures: Mapping[str, float], name: str) -> dict[str, float]:
    """Return `priority -> figure` of the figures that are called `name.priority`."""
    start = f"{name}."
    return {key.removeprefix(start): figure for key, figure in figures.items() if key.startswith(start)}


def _cause_of(result: TranslationResult) -> str:
    """Return why there is no text, or why most of the missing segments are missing."""
    causes = Counter(hole.cause for hole in result.holes).most_common(1) if result.holes else ()
    found = result.error_cause or (causes[0][0] if causes else "")
    check_length("cause", found)
    return found


def _key(record: InboundRecord) -> str:
    return (record.key or b"").decode(errors="replace")


def _coordinates(record: InboundRecord) -> dict[str, int]:
    return {"kafka_partition": record.partition, "kafka_offset": record.offset}


def _check_time(field: str, at_ms: int, now_ms: int) -> None:
    check_number(field, at_ms, least=now_ms - OLDEST_MS, most=now_ms + NEWEST_MS)


def _check_figures(field: str, figures: Mapping[str, float]) -> None:
    if len(figures) > _MOST_FIGURES:
        raise out_of_bounds(field, f"{len(figures)} entries long", f"{_MOST_FIGURES} entries")
    for name, figure in figures.items():
        check_length(field, name)
        check_number(field, figure, most=LATEST_MS)


_CLOSED: Mapping[str, object] = {
    **dict.fromkeys(("stage", "cause", "field", "tenant", "request_id", "topic"), ""),
    **dict.fromkeys(("batch_number", "segment"), -1),
    **dict.fromkeys(("attempt", "partition", "offset"), 0),
}
_ROWS: Mapping[str, Callable[[InboundRecord, Codec, int], Iterator[TableRow]]] = {
    RESULTS: _result,
    DEAD_LETTERS: _dead_letter,
    OPERATIONS: _operation,
    TENANTS: _tenant,
    CREDENTIALS: _credential,
}


def topics_of(tenants: Sequence[str]) -> list[str]:
    """Name the topics whose records become rows; these tenants have topics of their own."""
    return [*_ROWS, *control_topics(tenants)]

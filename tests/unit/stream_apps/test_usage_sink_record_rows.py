"""What results, dead letters, orders and operations become in ClickHouse."""

import time
from dataclasses import replace
from typing import Any

import pytest

from schemas.accounts import Credential, CredentialKind, Tenant
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter, JobControl, OperationEvent
from schemas.message_parts import Hole, Warning
from schemas.messages import Message, TranslationResult
from schemas.records import InboundRecord
from schemas.states import ControlAction, OperationKind, ResultStatus
from schemas.topics import CONTROL, CREDENTIALS, DAY_MS, DEAD_LETTERS, OPERATIONS, RESULTS, TENANTS
from stream_apps.usage_sink.rows import rows_of

CODEC = Codec()
NOW = round(time.time() * 1000)
HOUR = 3_600_000
FULL_HOUR = NOW - NOW % HOUR
SECRET = "Nobody reads this in ClickHouse."
RESULT = TranslationResult(
    tenant="acme", request_id="r1", version=2, status=ResultStatus.PARTIAL, priority="high", text=SECRET,
    holes=[Hole(segment=1, cause="truncated"), Hole(segment=2, cause="truncated"), Hole(segment=3, cause="x")],
    warnings=[Warning(cause="length", count=2, place=SECRET)], source_language="en", target_language="pt",
    segments=9, cached_segments=4, source_words=90, cached_words=40, target_words=95, busy_ms=12.5,
    timings={"queue": 0.5, "translate": 1.5, "total": 2.25, "other": 0.1}, labels={"team": "support"},
    submitted_at=NOW - 2250, completed_at=NOW, error_message=SECRET, file_name=SECRET,
)  # fmt: skip
LETTER = DeadLetter(
    dead_letter_id="d1", stage="intake", cause="too_large", message=SECRET, field="text", tenant="acme",
    request_id="r1", topic="translation.requests.high", partition=3, offset=17, failed_at=NOW, value=b"Nobody",
)  # fmt: skip
READY = OperationEvent(
    event_id="e", kind=OperationKind.WORKER, actor="w1", device="t4", market="spot", state="ready",
    since=FULL_HOUR - HOUR - 60_000, at=FULL_HOUR + 1,
)  # fmt: skip
SCALED = OperationEvent(
    event_id="s", kind=OperationKind.SCALING, actor="scaler-1", state="deadline", at=NOW, priorities=["critical"],
    figures={"replicas": 4.0, "needed": 3.0, "ready": 2.0, "backlog_words.high": 9.5, "startup_seconds": 45.0},
)  # fmt: skip


def record(topic: str, message: Message | None, key: bytes = b"k") -> InboundRecord:
    return InboundRecord(topic, 1, 7, key, CODEC.encode(message) if message else None, {}, NOW)


def rows(topic: str, message: Message | None, key: bytes = b"k") -> list[tuple[str, Any]]:
    return rows_of(record(topic, message, key), CODEC, NOW)


def test_an_answer_is_one_row_with_its_status_its_cause_and_its_seconds_per_stage():
    ((table, row),) = rows(RESULTS, RESULT)
    assert table == "requests"
    shown = ("tenant", "request_id", "answer", "status", "cause", "failed_segments", "warnings", "sla_seconds")
    assert [row[name] for name in shown] == ["acme", "r1", 2, "PARTIAL", "truncated", 3, 2, 120]
    assert [row[f"{name}_seconds"] for name in ("queue", "translate", "total")] == [0.5, 1.5, 2.25]
    assert row["stage_seconds"] == RESULT.timings
    assert (row["kafka_partition"], row["kafka_offset"], row["completed_at"]) == (1, 7, NOW)


@pytest.mark.parametrize(("topic", "message"), [(RESULTS, RESULT), (DEAD_LETTERS, LETTER)])
def test_no_text_and_no_message_becomes_part_of_a_row(topic, message):
    assert SECRET not in str(rows(topic, message))


def test_a_failed_answer_says_why():
    ((_, row),) = rows(
        RESULTS, replace(RESULT, status=ResultStatus.FAILED, error_cause="unsupported_pair", holes=())
    )
    assert row["cause"] == "unsupported_pair"


def test_a_deleted_answer_changes_nothing():
    assert rows(RESULTS, None) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"source_words": -1}, {"completed_at": NOW - 401 * DAY_MS}, {"completed_at": NOW + 2 * DAY_MS},
        {"tenant": "A/B"}, {"priority": "soon"}, {"busy_ms": float("nan")}, {"confidence": 2.0},
        {"timings": {"queue": -1.0}},
        {"timings": {f"s{number}": 1.0 for number in range(65)}},
        {"model": "m" * 1001}, {"labels": {"a": "x" * 70_000}},
    ],
)  # fmt: skip
def test_an_answer_that_clickhouse_would_refuse_is_refused_by_name(broken):
    with pytest.raises(PermanentError):
        rows(RESULTS, replace(RESULT, **broken))


def test_a_dead_letter_is_opened_and_its_tombstone_closes_it():
    ((table, opened),) = rows(DEAD_LETTERS, LETTER, b"d1")
    ((_, closed),) = rows(DEAD_LETTERS, None, b"d1")
    assert (table, opened["event"], closed["event"]) == ("dead_letters", "opened", "closed")
    assert opened["dead_letter_id"] == closed["dead_letter_id"] == "d1"
    assert (opened["cause"], opened["field"], opened["offset"], opened["segment"]) == ("too_large", "text", 17, -1)
    assert opened.keys() == closed.keys()


def test_an_order_is_a_line_of_the_audit_at_the_brokers_time():
    order = JobControl(tenant="acme", request_id="r1", action=ControlAction.CANCEL, requested_by="ann", at=5)
    ((table, row),) = rows(CONTROL, order)
    assert (table, row["actor"], row["action"], row["request_id"], row["at"]) == (
        "audit",
        "ann",
        "cancel",
        "r1",
        NOW,
    )


@pytest.mark.parametrize(
    ("changed", "action"),
    [
        ({}, "credential_created"),
        ({"changed_at": 9}, "credential_changed"),
        ({"revoked_at": 9}, "credential_revoked"),
    ],
)
def test_a_change_of_a_credential_is_a_line_of_the_audit_without_address_name_or_hash(changed, action):
    known = Credential(
        credential_id="k1", tenant="acme", kind=CredentialKind.API_KEY, role="member", scopes=["jobs:read"],
        name=SECRET, login=SECRET, secret_hash=SECRET, changed_by="k0",
    )  # fmt: skip
    ((table, row),) = rows(CREDENTIALS, replace(known, **changed), b"k1")
    assert (table, row["actor"], row["action"], row["tenant"], row["subject"]) == (
        "audit",
        "k0",
        action,
        "acme",
        "k1",
    )
    assert row["detail"] == {"kind": "api_key", "role": "member", "scopes": "jobs:read"}
    assert SECRET not in str(row)


def test_a_change_of_a_tenant_tells_its_tier_and_its_limits():
    tenant = Tenant(
        tenant="acme", name=SECRET, tier="premium", limits={"requests": 9}, changed_by="k0", changed_at=9
    )
    ((_, row),) = rows(TENANTS, tenant, b"acme")
    assert (row["actor"], row["action"], row["subject"]) == ("k0", "tenant_changed", "acme")
    assert row["detail"] == {"tier": "premium", "status": "ACTIVE", "retention_days": "0", "requests": "9"}
    assert SECRET not in str(row)


@pytest.mark.parametrize(
    ("topic", "action", "tenant"), [(TENANTS, "tenant_removed", "acme"), (CREDENTIALS, "credential_removed", "")]
)
def test_a_removal_tells_what_was_removed(topic, action, tenant):
    ((_, row),) = rows(topic, None, b"acme")
    assert (row["action"], row["tenant"], row["subject"], row["actor"]) == (action, tenant, "acme", "")


def test_an_account_of_years_ago_is_no_news_and_no_dead_letter():
    old = replace(record(TENANTS, Tenant(tenant="acme"), b"acme"), timestamp_ms=NOW - 500 * DAY_MS)
    assert rows_of(old, CODEC, NOW) == []


def test_the_time_of_a_worker_is_cut_at_full_hours():
    found = rows(OPERATIONS, READY)
    assert [(table, row["since"], row["until"]) for table, row in found] == [
        ("worker_intervals", FULL_HOUR - HOUR - 60_000, FULL_HOUR - HOUR),
        ("worker_intervals", FULL_HOUR - HOUR, FULL_HOUR),
        ("worker_intervals", FULL_HOUR, FULL_HOUR + 1),
    ]
    assert {(row["worker"], row["device"], row["market"], row["state"]) for _, row in found} == {
        ("w1", "t4", "spot", "ready")
    }


@pytest.mark.parametrize("broken", [{"since": 0}, {"since": NOW + DAY_MS}, {"state": "asleep"}, {"actor": ""}])
def test_a_worker_whose_time_makes_no_sense_is_refused(broken):
    with pytest.raises(PermanentError):
        rows(OPERATIONS, replace(READY, **broken))


def test_a_decision_of_the_autoscaler_tells_what_it_knew():
    ((table, row),) = rows(OPERATIONS, SCALED)
    assert table == "scale_decisions"
    assert (row["replicas"], row["needed"], row["ready"], row["pending"]) == (4, 3, 2, 0)
    assert (row["reason"], row["out_of_reach"], row["backlog_words"]) == ("deadline", ["critical"], {"high": 9.5})

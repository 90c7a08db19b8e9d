"""A usage event that ClickHouse would refuse must not reach it."""

import uuid

import pytest

from schemas.errors import PermanentError
from schemas.events import UsageEvent
from schemas.records import InboundRecord
from schemas.states import UsageKind
from schemas.topics import DAY_MS
from stream_apps.usage_sink.rows.usage import check_row, row_of

NOW = 1_700_000_000_000
RECORD = InboundRecord("translation.usage", 1, 2, None, None)


def event(**fields):
    usual = {"event_id": str(uuid.uuid4()), "kind": UsageKind.BILLED, "request_id": "r1", "at": NOW}
    return UsageEvent(**{**usual, **fields})


def test_a_sound_event_becomes_a_row():
    check_row(event(), NOW)
    assert row_of(event(), RECORD)["kafka_offset"] == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"at": NOW - 401 * DAY_MS}, "at"),
        ({"at": NOW + 2 * DAY_MS}, "at"),
        ({"at": 2**62}, "at"),
        ({"source_words": -1}, "source_words"),
        ({"batches": -1}, "batches"),
        ({"busy_ms": float("nan")}, "busy_ms"),
        ({"latency_ms": float("inf")}, "latency_ms"),
        ({"priority": "urgent"}, "priority"),
        ({"tenant": "x" * 1001}, "tenant"),
        ({"request_id": "x" * 1001}, "request_id"),
        ({"labels": {"a": "x" * 70_000}}, "labels"),
    ],
)
def test_an_event_out_of_bounds_is_refused_by_name(fields, field):
    with pytest.raises(PermanentError) as refused:
        check_row(event(**fields), NOW)
    assert refused.value.field == field

"""The check of whole columns is never laxer than the check of each event."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import UsageBatch, UsageEvent
from schemas.records import InboundRecord
from schemas.states import ResultStatus, UsageKind
from schemas.topics import DAY_MS
from stream_apps.usage_sink.rows.usage import check_row, merged, part_of, row_of

CODEC, NOW = Codec(), 1_700_000_000_000
RECORD = InboundRecord("translation.usage", 1, 2, None, None)
_TEXT = st.one_of(st.text(max_size=5), st.sampled_from(["é" * 1000, "x" * 1001]))
_COUNT = st.one_of(st.integers(0, 9), st.sampled_from([-1, 2**31 - 1, 2**31]))
_TIME = st.sampled_from([NOW, NOW - 400 * DAY_MS, NOW - 401 * DAY_MS, NOW + DAY_MS, NOW + DAY_MS + 1])
_IDS = st.one_of(
    st.uuids().map(str), st.uuids().map(lambda one: str(one).upper()), st.sampled_from(["", "a,b", "{}"])
)
_LABELS = st.sampled_from(["", "é" * 30_000, "x" * 16_384, "x" * 70_000])
_EVENTS = st.builds(
    UsageEvent,
    event_id=_IDS,
    kind=st.sampled_from(UsageKind),
    tenant=_TEXT,
    worker=_TEXT,
    priority=st.sampled_from(["high", "standard", "soon"]),
    status=st.one_of(st.none(), st.sampled_from(ResultStatus)),
    source_words=_COUNT,
    sla_ms=_COUNT,
    busy_ms=st.floats(),
    at=_TIME,
    labels=st.dictionaries(st.text(max_size=3), _LABELS, max_size=2),
)


def one_by_one(events):
    for event in events:
        check_row(event, NOW)
    return [row_of(event, RECORD) for event in events]


def as_columns(events):
    part = part_of(CODEC.decode(CODEC.encode(UsageBatch(events)), UsageBatch).rows, RECORD, {}, NOW)
    columns = merged([part])
    return [{name: columns[name][at] for name in columns} for at in range(len(part))]


def outcome(work, events):
    try:
        return work(events)
    except PermanentError as refused:
        return refused.cause, refused.field


@given(st.lists(_EVENTS, max_size=4))
def test_columns_are_taken_exactly_where_each_event_is_and_say_the_same(events):
    assert outcome(as_columns, events) == outcome(one_by_one, events)


def test_a_batch_of_sound_events_is_taken_without_looking_at_each():
    event = UsageEvent(event_id=str(uuid.uuid4()), kind=UsageKind.BILLED, at=NOW)
    part = part_of(UsageBatch([event] * 3).rows, RECORD, {}, NOW)
    assert part.columns["kafka_offset"] == [2, 2, 2]

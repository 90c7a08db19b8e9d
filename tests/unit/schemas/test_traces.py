"""A traceparent is read as W3C Trace Context says, and what breaks it is ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.traces import TraceParent, exemplar_of, is_unrecorded, parse_traceparent, trace_of

TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
GOOD = b"00-" + TRACE + b"-" + SPAN + b"-01"


def test_a_header_names_trace_span_and_flags():
    found = parse_traceparent(GOOD)
    assert found == TraceParent(TRACE.decode(), SPAN.decode(), 1)
    assert found.is_sampled
    assert found.encode() == GOOD


@pytest.mark.parametrize(("flags", "is_sampled"), [(b"00", False), (b"01", True), (b"02", False), (b"03", True)])
def test_the_last_bit_of_the_flags_says_whether_it_is_recorded(flags, is_sampled):
    value = GOOD[:-2] + flags
    found = parse_traceparent(value)
    assert found is not None
    assert found.is_sampled is is_sampled
    assert is_unrecorded(value) is not is_sampled
    assert bool(exemplar_of({"traceparent": value})) is is_sampled


def test_a_later_version_may_have_more_fields():
    assert parse_traceparent(b"cc" + GOOD[2:] + b"-what-the-future-brings") is not None


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"00-1-2-01",
        GOOD.upper(),
        GOOD + b"-more",
        GOOD[:-1],
        b" " + GOOD,
        b"ff" + GOOD[2:],
        GOOD.replace(TRACE, b"0" * 32),
        GOOD.replace(SPAN, b"0" * 16),
        GOOD[:-2] + b"0x",
        b"\xff" * 55,
    ],
    ids=repr,
)
def test_a_header_that_breaks_the_standard_is_none(bad):
    assert parse_traceparent(bad) is None
    assert trace_of({"traceparent": bad}) is None
    assert exemplar_of({"traceparent": bad}) is None
    assert not is_unrecorded(bad)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_without_an_error(value):
    found = parse_traceparent(value)
    assert found is None or parse_traceparent(found.encode()) == found


def test_an_exemplar_names_the_trace():
    assert exemplar_of({"traceparent": GOOD}) == {"trace_id": TRACE.decode()}
    assert exemplar_of({}) is None

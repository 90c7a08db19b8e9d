from types import SimpleNamespace

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from connectors.faust.bundles import Bundle, TakeLimits, bundled
from schemas.records import InboundRecord

PLACE = TP("translation.requests.high", 2)
LIMITS = TakeLimits(records=3, value_bytes=10)


def fetched(offset, value=b"v", headers=()):
    return SimpleNamespace(
        topic=PLACE.topic,
        partition=PLACE.partition,
        offset=offset,
        key=b"k",
        value=value,
        headers=headers,
        timestamp=1234,
    )


def test_a_record_is_handed_over_as_kafka_stored_it():
    ((record,),) = bundled([fetched(5, headers=(("h", b"1"), ("empty", None)))], LIMITS)
    assert record == InboundRecord(*PLACE, 5, b"k", b"v", {"h": b"1", "empty": b""}, 1234)


@given(st.lists(st.integers(0, 12), max_size=30))
def test_bundles_keep_all_records_in_order_and_each_fits_into_a_take(sizes):
    bundles = list(bundled([fetched(at, b"x" * size) for at, size in enumerate(sizes)], LIMITS))
    assert [record.offset for bundle in bundles for record in bundle] == list(range(len(sizes)))
    for bundle in bundles:
        assert len(bundle) <= LIMITS.records
        assert len(bundle) == 1 or sum(record.value_bytes for record in bundle) <= LIMITS.value_bytes


def test_a_tombstone_is_a_record_without_bytes():
    ((record,),) = bundled([fetched(1, None)], LIMITS)
    assert (record.value, record.value_bytes, Bundle(PLACE, [record], 4).value_bytes) == (None, 0, 0)

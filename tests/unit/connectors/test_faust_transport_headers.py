"""Header names that are not UTF-8, in the formats of both Kafka clients."""

from typing import Any

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from connectors.faust.header_names import ForgivingRecords
from connectors.kafka.group_member import record_of
from tests.fuzz.raw_names import RawName


def batch(*names, compression=0):
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10_000,
    )
    for offset, name in enumerate(names):
        builder.append(offset, 1_000 + offset, b"key", f"value {offset}".encode(), [(name, b"\xff")])
    return bytes(builder.build())


def read(data):
    records, found = ForgivingRecords(data), []
    while records.has_next():
        found += [(record.offset, record.value, record.headers) for record in records.next_batch()]
    return found


@pytest.mark.parametrize("compression", [0, 1])
def test_a_name_that_is_no_utf8_is_read_and_so_are_its_neighbours(compression):
    data = batch("good", RawName("bad"), "naïve", RawName("bad"), compression=compression)
    assert read(data) == [
        (0, b"value 0", [("good", b"\xff")]),
        (1, b"value 1", [("\ufffd\ufffd\ufffd", b"\xff")]),
        (2, b"value 2", [("naïve", b"\xff")]),
        (3, b"value 3", [("\ufffd\ufffd\ufffd", b"\xff")]),
    ]


def test_aiokafka_itself_still_refuses_them():
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(batch(RawName("bad"))).next_batch())


def test_several_batches_of_one_fetch_are_all_read():
    assert len(read(batch("a", "b") + batch(RawName("bad")) + batch("c"))) == 4


def test_a_group_reader_takes_a_record_whose_headers_the_client_cannot_read():
    class Message:
        def error(self):
            return None

        def headers(self):
            raise SystemError("returned a result with an exception set")

        def timestamp(self):
            return 1, 5

        def topic(self):
            return "t"

        def partition(self):
            return 0

        def offset(self):
            return 3

        key = value = lambda self: None

    message: Any = Message()
    record = record_of(message)
    assert record is not None
    assert (record.offset, record.headers, record.timestamp_ms) == (3, {}, 5)

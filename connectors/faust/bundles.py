"""Have Faust hand over the records of a partition together.

For each event Faust takes a turn of the event loop, two futures and a lock, which is much for a short request. So
a bundle of records is one message to Faust; its offset is that of the last one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from faust.types import TP
from faust.types.tuples import ConsumerMessage

from schemas.records import InboundRecord


@dataclass(frozen=True)
class TakeLimits:
    """The most records of a take, and the most bytes of their values; one record at least."""

    records: int
    value_bytes: int


class Bundle(ConsumerMessage):
    """Records of one partition, in order, one at least."""

    __slots__ = ("records", "value_bytes")

    def __init__(self, tp: TP, records: Sequence[InboundRecord], generation: int) -> None:
        """Take the generation of the group in which they were fetched."""
        last = records[-1]
        at_seconds, no_type, nothing = last.timestamp_ms / 1000, 0, b""
        super().__init__(
            *(tp.topic, tp.partition, last.offset, at_seconds, no_type, None, None, nothing, None, 0, 0),
            tp=tp,
            generation_id=generation,
        )
        self.records = records
        self.value_bytes = sum(record.value_bytes for record in records)


def bundled(fetched: Sequence[Any], limits: TakeLimits) -> Iterator[list[InboundRecord]]:
    """Divide aiokafka's records of one partition into bundles, each of which fits into a take."""
    bundle: list[InboundRecord] = []
    value_bytes = 0
    for record in map(inbound, fetched):
        value_bytes += record.value_bytes
        if bundle and (len(bundle) >= limits.records or value_bytes > limits.value_bytes):
            yield bundle
            bundle, value_bytes = [], record.value_bytes
        bundle.append(record)
    if bundle:
        yield bundle


def inbound(record: Any) -> InboundRecord:
    """Return the record as Kafka stored it."""
    return InboundRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers={name: bytes(value or b"") for name, value in record.headers},
        timestamp_ms=record.timestamp,
    )

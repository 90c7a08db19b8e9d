"""A Kafka record on its way in and on its way out, free of any client library's types."""

from dataclasses import dataclass, field

Headers = dict[str, bytes]

# Only a guess for records of producers that send no `words` header.
_BYTES_PER_WORD = 7
_MOST_DIGITS = 9

TRACE = "traceparent"
# W3C Trace Context: 55 bytes today, a later version may append to them.
_LONGEST_TRACE = 256


@dataclass(frozen=True)
class InboundRecord:
    """A consumed record. `timestamp_ms` is milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=dict)
    timestamp_ms: int = 0

    @property
    def coordinates(self) -> str:
        """`topic-partition-offset`: unique for every record ever written."""
        return f"{self.topic}-{self.partition}-{self.offset}"

    @property
    def trace(self) -> Headers:
        """The header that joins what is written to the trace of this record; empty where there is none."""
        value = self.headers.get(TRACE, b"")
        return {TRACE: value} if 0 < len(value) <= _LONGEST_TRACE else {}


@dataclass(frozen=True)
class OutboundRecord:
    """A record to produce. `partition` None lets the key decide; `value` None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=dict)
    partition: int | None = None


def words_of(record: InboundRecord) -> int:
    """The `words` header, else a guess from the size; one at least, so that a cycle has an end."""
    header = record.headers.get("words", b"")
    is_number = header.isdigit() and len(header) <= _MOST_DIGITS
    return max(int(header) if is_number else len(record.value or b"") // _BYTES_PER_WORD, 1)

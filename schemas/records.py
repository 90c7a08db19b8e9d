"""A Kafka record on its way in and on its way out, free of any client library's types.

The headers of what an operator sends again, and of what comes of it.

On a request: it is processed though it was seen before. `redrive: 1` asks for the answer that never came;
`redrive: 2` asks for a second one, which corrects the first. Whatever is sent how often, each revision of a
request is answered once.
On every record: `attempt: 2` says that it failed once; a dead letter of it counts on from there.
On a result: `version: 2` tells its revision, so that a rebuild need not decode a text to learn it.
Anybody may write anything into a header: one that says nothing sensible counts as none.
"""

from collections.abc import Mapping
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


HEADER = "redrive"
ATTEMPT_HEADER = "attempt"
VERSION_HEADER = "version"
FIRST_REVISION = 1
FIRST_ATTEMPT = 1
# Each has markers of its own that a rebuild must write, so there must not be any number of them.
MOST_REVISIONS = 1_000
_MOST_DIGITS_REDRIVE = 6


def redrive_header(revision: int) -> Headers:
    """What to send along; `revision` counts from 1."""
    return {HEADER: str(revision).encode()}


def redriven_revision(headers: Mapping[str, bytes]) -> int | None:
    """The revision that is asked for; None for a request that comes in the ordinary way."""
    revision = _number(headers.get(HEADER, b""))
    return None if revision is None or revision > MOST_REVISIONS else max(revision, FIRST_REVISION)


def revisions_up_to(version: int) -> range:
    """A correction comes after the first answer, so its result stands for all before it."""
    return range(FIRST_REVISION, min(max(version, FIRST_REVISION), MOST_REVISIONS) + 1)


def version_header(version: int) -> Headers:
    """What a result tells of itself."""
    return {VERSION_HEADER: str(version).encode()}


def told_version(headers: Mapping[str, bytes]) -> int | None:
    """The revision that a result answers; None where its headers do not say."""
    version = _number(headers.get(VERSION_HEADER, b""))
    return version if version is not None and FIRST_REVISION <= version <= MOST_REVISIONS else None


def attempt_header(attempt: int) -> Headers:
    """What to send along; `attempt` counts from 1."""
    return {ATTEMPT_HEADER: str(attempt).encode()}


def attempt_of(headers: Mapping[str, bytes]) -> int:
    """Which attempt a record is; 1 for all that nobody sent again."""
    return max(_number(headers.get(ATTEMPT_HEADER, b"")) or FIRST_ATTEMPT, FIRST_ATTEMPT)


def _number(value: bytes) -> int | None:
    # Digits without end are no number for int().
    return int(value) if value.isdigit() and len(value) <= _MOST_DIGITS_REDRIVE else None

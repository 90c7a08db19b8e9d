"""A Kafka record on its way in and on its way out, free of any client library's types, and its headers.

Anybody may write anything into a header: one that makes no sense counts as missing.

`words`         on batches: their source words
`priority`      on batches and translated batches: how urgent their request is
`traceparent`   on every record: joins what is written to the trace of what was read
`redrive`       on a request: process it although it was seen before. 1 asks for the answer that never came, 2
                for a second answer, which corrects the first. Each revision is answered once, however often asked
`attempt`       on every record: 2 says that it failed once; a dead letter of it counts on from there
`version`       on a result: its revision, so that a rebuild need not decode the text to learn it
`status`        on a result: how the request ended, for the same reason
`callback`      on a result: 1 where it is told by a webhook, so that other results need not be decoded
`erased`        on a result: when its text was erased, in milliseconds, for the same reason
`accepted`      on a translated batch, and on the request for a document as intake sends it on: when Kafka
                accepted the request, in milliseconds
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.priorities import Priority
from schemas.states import ResultStatus
from schemas.topics import tenant_of_topic

Headers = dict[str, bytes]

WORDS_HEADER = "words"
PRIORITY_HEADER = "priority"
TRACE_HEADER = "traceparent"
REDRIVE_HEADER = "redrive"
ATTEMPT_HEADER = "attempt"
VERSION_HEADER = "version"
STATUS_HEADER = "status"
CALLBACK_HEADER = "callback"
ACCEPTED_HEADER = "accepted"
ERASED_HEADER = "erased"

FIRST_REVISION = 1
FIRST_ATTEMPT = 1
# A rebuild writes the markers of every revision up to the answered one, so their number must be bounded.
MOST_REVISIONS = 1_000

# Only a guess for records of producers that send no `words` header.
_BYTES_PER_WORD = 7
# W3C Trace Context: 55 bytes today, a later version may append to them.
_LONGEST_TRACE = 256
# int() refuses, or takes long for, very long numbers.
_MOST_WORDS_DIGITS = 9
_MOST_REVISION_DIGITS = 6
_MOST_TIME_DIGITS = 14


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
        """Return `topic-partition-offset`: unique for every record ever written."""
        return f"{self.topic}-{self.partition}-{self.offset}"

    @property
    def value_bytes(self) -> int:
        """Return the size of its value; 0 for a tombstone."""
        return len(self.value or b"")

    @property
    def trace(self) -> Headers:
        """Return the header that joins outputs to the trace of this record; empty where there is none."""
        value = self.headers.get(TRACE_HEADER, b"")
        return {TRACE_HEADER: value} if 0 < len(value) <= _LONGEST_TRACE else {}


@dataclass(frozen=True)
class OutboundRecord:
    """A record to produce. `partition` None lets the key decide; `value` None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=dict)
    partition: int | None = None


class StoredAt(NamedTuple):
    """Where Kafka has stored a record: its partition of the topic, and its offset there."""

    partition: int
    offset: int


def words_of(record: InboundRecord) -> int:
    """Read the `words` header, or guess from the size; at least 1, so that a cycle has an end."""
    words = _number(record.headers.get(WORDS_HEADER, b""), _MOST_WORDS_DIGITS)
    return max(len(record.value or b"") // _BYTES_PER_WORD if words is None else words, 1)


def redrive_header(revision: int) -> Headers:
    """Make the header that asks for that revision, counted from 1."""
    return {REDRIVE_HEADER: str(revision).encode()}


def redriven_revision(headers: Mapping[str, bytes]) -> int | None:
    """Read the revision that is asked for; None for a request that comes in the ordinary way."""
    revision = _number(headers.get(REDRIVE_HEADER, b""))
    return None if revision is None or revision > MOST_REVISIONS else max(revision, FIRST_REVISION)


def revisions_up_to(version: int) -> range:
    """Return the revisions that an answer stands for: a correction replaces all answers before it."""
    return range(FIRST_REVISION, min(max(version, FIRST_REVISION), MOST_REVISIONS) + 1)


def version_header(version: int) -> Headers:
    """Make the header that tells the revision of a result."""
    return {VERSION_HEADER: str(version).encode()}


def status_header(status: ResultStatus | None) -> Headers:
    """Make the header that tells how the request of a result ended."""
    return {STATUS_HEADER: str(status or "").encode()}


def told_status(headers: Mapping[str, bytes]) -> str:
    """Read how the request of a result ended; empty where its headers do not say."""
    status = headers.get(STATUS_HEADER, b"").decode(errors="replace")
    return status if status in tuple(ResultStatus) else ""


def told_version(headers: Mapping[str, bytes]) -> int | None:
    """Read the revision that a result answers; None where its headers do not say."""
    version = _number(headers.get(VERSION_HEADER, b""))
    return version if version is not None and FIRST_REVISION <= version <= MOST_REVISIONS else None


def erased_header(at_ms: int | None) -> Headers:
    """Make the header that tells when the text of a result was erased; none for one that was not."""
    return {} if at_ms is None else {ERASED_HEADER: str(at_ms).encode()}


def told_erased(headers: Mapping[str, bytes]) -> int | None:
    """Read when the text of a result was erased; None where its headers do not say so."""
    return _number(headers.get(ERASED_HEADER, b""), _MOST_TIME_DIGITS)


def told_priority(headers: Mapping[str, bytes]) -> Priority:
    """Read how urgent a record is; critical where its headers do not say, so that nobody waits by mistake."""
    name = headers.get(PRIORITY_HEADER, b"").decode(errors="replace")
    return Priority(name) if name in tuple(Priority) else Priority.CRITICAL


def accepted_header(at_ms: int) -> Headers:
    """Make the header that tells when Kafka accepted a request."""
    return {ACCEPTED_HEADER: str(at_ms).encode()}


def accepted_ms(record: InboundRecord) -> int:
    """Read when Kafka accepted the request of a record; its own time where no header says so.

    A tenant's own topic is where it was accepted. What the tenant says there of another time is not believed: it
    could make its records look older than all others, and repair waits for the oldest.
    """
    is_told = tenant_of_topic(record.topic) is None
    told = _number(record.headers.get(ACCEPTED_HEADER, b""), _MOST_TIME_DIGITS) if is_told else None
    return record.timestamp_ms if told is None else min(told, record.timestamp_ms)


def attempt_header(attempt: int) -> Headers:
    """Make the header that counts the attempts, from 1."""
    return {ATTEMPT_HEADER: str(attempt).encode()}


def attempt_of(headers: Mapping[str, bytes]) -> int:
    """Read which attempt a record is; 1 for one that was never sent again."""
    return max(_number(headers.get(ATTEMPT_HEADER, b"")) or FIRST_ATTEMPT, FIRST_ATTEMPT)


def _number(value: bytes, most_digits: int = _MOST_REVISION_DIGITS) -> int | None:
    return int(value) if value.isdigit() and len(value) <= most_digits else None

"""What a `traceparent` says: W3C Trace Context (https://www.w3.org/TR/trace-context/#traceparent-header). Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from schemas.records import TRACE_HEADER

# A later version may append fields to the four that are known.
_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?", re.DOTALL)
_NO_VERSION, _FIRST_VERSION = b"ff", b"00"
_SAMPLED = 1
# Asked for every record and measurement, so without groups and objects.
_SAMPLED_FORM = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][13579bdf]")
_UNSAMPLED_FORM = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][02468ace]")
_TRACE_ID = slice(3, 35)


class TraceParent(NamedTuple):
    """The trace that something belongs to, and the span that led to it; both ids in hexadecimal."""

    trace_id: str
    span_id: str
    flags: int

    @property
    def is_sampled(self) -> bool:
        """Tell whether the spans of this trace are recorded."""
        return bool(self.flags & _SAMPLED)

    def encode(self) -> bytes:
        """Return the header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}".encode()


def parse_traceparent(value: bytes) -> TraceParent | None:
    """Read the header; None for one that breaks the standard, which says to ignore it then."""
    found = _FORM.fullmatch(value)
    if found is None or found[1] == _NO_VERSION or (found[1] == _FIRST_VERSION and found[5]):
        return None
    if not found[2].strip(b"0") or not found[3].strip(b"0"):
        return None
    return TraceParent(found[2].decode(), found[3].decode(), int(found[4], 16))


def trace_of(headers: Mapping[str, bytes]) -> TraceParent | None:
    """Read the trace of a record from its headers; None where they name none."""
    value = headers.get(TRACE_HEADER)
    return parse_traceparent(value) if value else None


def is_unrecorded(value: bytes) -> bool:
    """Tell whether a header says that its trace is not recorded; False for one that breaks the standard."""
    return bool(_UNSAMPLED_FORM.fullmatch(value))


def exemplar_of(headers: Mapping[str, bytes]) -> dict[str, str] | None:
    """Return what joins a measurement to its trace (OpenMetrics exemplar); None where it is not recorded."""
    value = headers.get(TRACE_HEADER)
    if not value or not _SAMPLED_FORM.fullmatch(value):
        return None
    return {"trace_id": value[_TRACE_ID].decode()}

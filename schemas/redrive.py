"""The headers of what an operator sends again.

On a request: it is processed though it was seen before. `redrive: 1` asks for the answer that never came;
`redrive: 2` asks for a second one, which corrects the first. Whatever is sent how often, each revision of a
request is answered once.
On every record: `attempt: 2` says that it failed once; a dead letter of it counts on from there.
"""

from collections.abc import Mapping

from schemas.records import Headers

HEADER = "redrive"
ATTEMPT_HEADER = "attempt"
FIRST_REVISION = 1
FIRST_ATTEMPT = 1
_MOST_DIGITS = 6


def redrive_header(revision: int) -> Headers:
    """What to send along; `revision` counts from 1."""
    return {HEADER: str(revision).encode()}


def redriven_revision(headers: Mapping[str, bytes]) -> int | None:
    """The revision that is asked for; None for a request that comes in the ordinary way."""
    revision = _number(headers.get(HEADER, b""))
    return None if revision is None else max(revision, FIRST_REVISION)


def attempt_header(attempt: int) -> Headers:
    """What to send along; `attempt` counts from 1."""
    return {ATTEMPT_HEADER: str(attempt).encode()}


def attempt_of(headers: Mapping[str, bytes]) -> int:
    """Which attempt a record is; 1 for all that nobody sent again."""
    return max(_number(headers.get(ATTEMPT_HEADER, b"")) or FIRST_ATTEMPT, FIRST_ATTEMPT)


def _number(value: bytes) -> int | None:
    return int(value) if value.isdigit() and len(value) <= _MOST_DIGITS else None

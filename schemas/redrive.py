"""The header of a request that an operator sends again: it is processed though it was seen before.

`redrive: 1` asks for the answer that never came; `redrive: 2` asks for a second one, which corrects the first.
Whatever is sent how often, each revision of a request is answered once.
"""

from collections.abc import Mapping

from schemas.records import Headers

HEADER = "redrive"
FIRST_REVISION = 1
_MOST_DIGITS = 6


def redrive_header(revision: int) -> Headers:
    """What to send along; `revision` counts from 1."""
    return {HEADER: str(revision).encode()}


def redriven_revision(headers: Mapping[str, bytes]) -> int | None:
    """The revision that is asked for; None for a request that comes in the ordinary way."""
    value = headers.get(HEADER, b"")
    is_number = value.isdigit() and len(value) <= _MOST_DIGITS
    return max(int(value), FIRST_REVISION) if is_number else None

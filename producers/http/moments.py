"""Convert moments: milliseconds since the epoch inside, RFC 3339 in JSON."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _written(value: object) -> object:
    # pydantic would take a number for seconds or milliseconds since the epoch, whichever seems likelier.
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE_AND_TIME.match(value)):
        return value
    raise PydanticCustomError("datetime_type", "should be a moment in RFC 3339, such as 2026-11-30T09:00:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A moment as callers write it: RFC 3339 with an offset."""


def moment_of(at_ms: int) -> datetime | None:
    """Return the moment; None for 0, which stands for none."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None


def milliseconds_of(moment: datetime | None) -> int | None:
    """Return the milliseconds since the epoch of a moment."""
    return None if moment is None else int(moment.timestamp() * 1000)

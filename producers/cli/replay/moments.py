"""A moment as people type it. Pure."""

import re
from datetime import UTC, datetime

from producers.cli.failures import UsageError

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment_ms(typed: str, now_ms: int, option: str) -> int:
    """`2h` and `7d` count back from now; else ISO 8601, in UTC where no offset is given. Raises UsageError."""
    if ago := _AGO.fullmatch(typed.strip()):
        return now_ms - int(ago[1]) * _SECONDS[ago[2]] * 1000
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise UsageError(
            f"{option} is {typed[:40]!r}, which is no moment", "give 2026-07-01T12:00, or 2h, or 7d"
        ) from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)

"""Options that several commands share.

Which letters a command is about. Pure.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from producers.cli.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Url = Annotated[str | None, typer.Option(help="Of the HTTP interface; the local platform's by default.")]


_AGO = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


def moment_ms(text: str, now: datetime) -> int:
    """`90m`, `12h`, `7d`: so long ago; else ISO 8601, in UTC where no zone is named. Raises UsageError."""
    if ago := _AGO.fullmatch(text):
        return round((now.timestamp() - int(ago[1]) * _SECONDS[ago[2]]) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", "say 90m, 12h, 7d or 2026-01-31T12:00") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)

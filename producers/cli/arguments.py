"""Options that several commands share, and the one parser of times. Asks no server."""

import re
from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer

from producers.cli.errors import UsageError

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Url = Annotated[str | None, typer.Option(help="Address of the HTTP interface; the local platform's by default.")]

Tenant = Annotated[
    str | None, typer.Option(help="Whose job it is; left out, the tenant that the platform takes you for.")
]

_AGO = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([smhdw])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LONGEST_QUOTE = 40
_LAST_PORT = 65_535
_END_OF_CALENDARS_MS = 253_370_764_800_000


def parse_duration_ms(typed: str, option: str) -> int:
    """Return milliseconds of `90s`, `30m`, `1.5h`, `7d` or `2w`. Raises UsageError, which names the option."""
    found = _AGO.fullmatch(typed.strip())
    if found is None:
        raise UsageError(
            f"{option} is {typed[:_LONGEST_QUOTE]!r}, which is no length of time", "write 90s, 30m, 1.5h, 7d or 2w"
        )
    return round(float(found[1]) * _UNIT_MS[found[2]])


def parse_future_ms(typed: str, option: str, now_ms: int) -> int:
    """Return milliseconds since the epoch: `90d` counts from now, all else is ISO 8601. Raises UsageError."""
    if _AGO.fullmatch(typed.strip()):
        return _known_to_calendars(now_ms + parse_duration_ms(typed, option), typed, option)
    return parse_time_ms(typed, option, now_ms)


def parse_time_ms(typed: str, option: str, now_ms: int) -> int:
    """Return milliseconds since the epoch, never less than 0.

    `90s`, `30m`, `1.5h`, `7d` and `2w` count back from now; anything else is ISO 8601, in UTC where it names no
    zone. Raises UsageError, which names the option.
    """
    typed = typed.strip()
    if ago := _AGO.fullmatch(typed):
        return max(now_ms - round(float(ago[1]) * _UNIT_MS[ago[2]]), 0)
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        raise UsageError(
            f"{option} is {typed[:_LONGEST_QUOTE]!r}, which is no time",
            "give how long ago it was (90s, 30m, 1.5h, 7d, 2w) or ISO 8601 (2026-01-31T12:00, UTC)",
        ) from None
    at_ms = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    return max(_known_to_calendars(at_ms, typed, option), 0)


def parse_url(typed: str, option: str) -> str:
    """Return an address of HTTP. Raises UsageError, which names the option."""
    try:
        url = httpx.URL(typed)
        url.host.encode("idna")  # as the look-up of the name does
        is_sound = url.scheme in {"http", "https"} and bool(url.host) and 0 < (url.port or 1) <= _LAST_PORT
    except (httpx.InvalidURL, UnicodeError):
        is_sound = False
    if not is_sound:
        # What stands before the @ is a password.
        shown = typed.rpartition("@")[2][:_LONGEST_QUOTE]
        raise UsageError(
            f"{option} is {shown!r}, which is no address of HTTP", "write it as http://127.0.0.1:8080"
        )
    return typed


def parse_key(typed: str, option: str) -> str:
    """Return a key or a token as a header can have it. Raises UsageError, which does not show it."""
    if not typed.isascii() or not typed.isprintable() or typed != typed.strip():
        raise UsageError(f"{option} holds signs that no key has", "copy the key again, without what is around it")
    return typed


def _known_to_calendars(at_ms: int, typed: str, option: str) -> int:
    if at_ms >= _END_OF_CALENDARS_MS:
        raise UsageError(
            f"{option} is {typed[:_LONGEST_QUOTE]!r}, which is after the year 9998", "give an earlier one"
        )
    return at_ms

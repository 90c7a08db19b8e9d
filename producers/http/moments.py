"""Convert moments: milliseconds since the epoch inside, RFC 3339 in JSON."""

from datetime import UTC, datetime


def moment_of(at_ms: int) -> datetime | None:
    """Return the moment; None for 0, which stands for none."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None


def milliseconds_of(moment: datetime | None) -> int | None:
    """Return the milliseconds since the epoch of a moment."""
    return None if moment is None else int(moment.timestamp() * 1000)

"""A usage event as a row of usage_events. Pure."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.errors import PermanentError
from schemas.messages import UsageEvent
from schemas.records import InboundRecord
from schemas.topics import DAY_MS
from schemas.validity import check_number, check_usage

Row = dict[str, object]

# Rows live 400 days (ddl/001_usage_events.sql), in one part for each month of an insert, of which ClickHouse
# takes 100. Clocks may differ by a day.
_OLDEST_MS, _NEWEST_MS = 400 * DAY_MS, DAY_MS


def check_row(event: UsageEvent, now_ms: int) -> None:
    """Raises PermanentError for what ClickHouse would refuse, and the rows beside it for ever with it."""
    check_usage(event)
    check_number("at", event.at, least=now_ms - _OLDEST_MS, most=now_ms + _NEWEST_MS)


def row_of(event: UsageEvent, record: InboundRecord) -> Row:
    """All fields, and where the event stood. Raises PermanentError for an event_id that is no UUID."""
    try:
        event_id = uuid.UUID(event.event_id)
    except ValueError:
        raise PermanentError(
            "bad_event_id",
            f"event_id is {event.event_id[:40]!r}, which is no UUID",
            field="event_id",
            cure="send a UUID that is the same for the same use",
        ) from None
    return {
        **vars(event),
        "event_id": event_id,
        "at": datetime.fromtimestamp(event.at / 1000, UTC),
        "kafka_partition": record.partition,
        "kafka_offset": record.offset,
    }


def columns_of(rows: Sequence[Row]) -> dict[str, list[object]]:
    """The rows column by column."""
    return {name: [row[name] for row in rows] for name in rows[0]}

"""A usage event as a row of usage_events. Pure."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.errors import PermanentError
from schemas.messages import UsageEvent
from schemas.records import InboundRecord

Row = dict[str, object]


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

"""Turn the usage events of a record into columns of usage_events. Pure.

A busy platform writes thousands of rows a second, so whole columns are looked at. Only where something is out of
bounds each event is looked at, to tell which field of it.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from schemas.errors import PermanentError
from schemas.events import UsageEvent, UsageRows
from schemas.records import InboundRecord
from schemas.validity import check_usage, is_sound_usage
from stream_apps.usage_sink.inserting import columns_of
from stream_apps.usage_sink.rows.parts import NEWEST_MS, OLDEST_MS, check_time, coordinates_of

UsageRow = dict[str, object]
"""One row of usage_events: column name -> value."""

_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IDS = re.compile(f"{_ID}(?:,{_ID})*")
_NOTHING: Mapping[str, str] = {}
_DEFAULTS = {
    field.name: field.default_factory() if field.default_factory is not MISSING else field.default
    for field in fields(UsageEvent)
}


@dataclass(frozen=True)
class UsagePart:
    """The rows of one record, as columns."""

    columns: Mapping[str, Sequence[Any]]
    count: int

    def __len__(self) -> int:
        return self.count


NO_ROWS = UsagePart({}, 0)


def part_of(rows: UsageRows, record: InboundRecord, unknown: Mapping[str, object], now_ms: int) -> UsagePart:
    """Return the rows with all fields, those of a newer version as a map, and the coordinates of the record.

    Raises PermanentError for an event that ClickHouse would refuse: its whole insert would fail for ever.
    """
    count = len(rows)
    if not count:
        return NO_ROWS
    columns = {name: rows.columns.get(name) or [default] * count for name, default in _DEFAULTS.items()}
    others = [other_fields_of(unknown, at, count) for at in range(count)] if unknown else [_NOTHING] * count
    if not _are_sound(columns, now_ms):
        return UsagePart(columns_of(_checked_rows(rows, record, others, now_ms)), count)
    where = {"kafka_partition": [record.partition] * count, "kafka_offset": [record.offset] * count}
    return UsagePart({**columns, **where, "other_fields": others}, count)


def merged(parts: Sequence[UsagePart]) -> dict[str, list[Any]]:
    """Return the rows of all parts as one. There must be one part at least."""
    return {name: [one for part in parts for one in part.columns[name]] for name in parts[0].columns}


def _are_sound(columns: Mapping[str, Sequence[Any]], now_ms: int) -> bool:
    times = columns["at"]
    return (
        is_sound_usage(columns)
        and min(times) >= now_ms - OLDEST_MS
        and max(times) <= now_ms + NEWEST_MS
        and bool(_IDS.fullmatch(",".join(columns["event_id"])))
    )


def _checked_rows(
    rows: UsageRows, record: InboundRecord, others: Sequence[Mapping[str, str]], now_ms: int
) -> list[UsageRow]:
    for event in rows:
        check_row(event, now_ms)
    return [row_of(event, record, other) for event, other in zip(rows, others, strict=True)]


def check_row(event: UsageEvent, now_ms: int) -> None:
    """Raise PermanentError for an event that ClickHouse would refuse: its whole insert would fail for ever."""
    check_usage(event)
    check_time("at", event.at, now_ms)


def row_of(event: UsageEvent, record: InboundRecord, other_fields: Mapping[str, str] = _NOTHING) -> UsageRow:
    """Return all fields of the event, those of a newer version as a map, and the coordinates of its record.

    Raises PermanentError for an event_id that is no UUID.
    """
    try:
        event_id = str(uuid.UUID(event.event_id))
    except ValueError:
        raise PermanentError(
            "bad_event_id",
            f"event_id is {event.event_id[:40]!r}, which is no UUID",
            field="event_id",
            cure="send a UUID that is the same for the same use",
        ) from None
    return {
        **vars(event),
        "kind": str(event.kind),
        "status": str(event.status or ""),
        "event_id": event_id,
        **coordinates_of(record),
        "other_fields": other_fields,
    }


def other_fields_of(unknown: Mapping[str, object], number: int, events: int) -> dict[str, str]:
    """Return, for one event of a batch of so many, what a newer version sent in fields that have no column yet.

    An array with an entry for each event gives its entry, anything else itself; what is no text is JSON.
    """
    return {
        name: _text_of(found[number] if isinstance(found, list) and len(found) == events else found)
        for name, found in unknown.items()
    }


def _text_of(found: object) -> str:
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=repr)

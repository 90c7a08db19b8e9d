"""Turn usage events into rows, and choose which offsets go into one insert. Pure.

An insert that is repeated must have exactly the same rows and the same token, so that ClickHouse takes it once.
The protocol for each partition (after the exactly-once design of clickhouse-kafka-connect, with Kafka's commit
metadata in place of its state table):

1. Commit the range's first offset, with its last offset in the metadata: the range is pending.
2. Insert the rows, with a token that names the partition and the range.
3. Commit the offset behind the range, without metadata: the range is done.

A process that finds a pending range when it starts forms exactly that range again and goes on with step 2.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from schemas.errors import PermanentError
from schemas.events import UsageEvent
from schemas.records import InboundRecord
from schemas.topics import DAY_MS
from schemas.validity import check_number, check_usage

UsageRow = dict[str, object]
"""One row of usage_events: column name -> value."""

# ClickHouse keeps rows for 400 days (ddl/001_usage_events.sql) in one part per month, and takes at most 100 parts
# in one insert. Clocks may differ by a day.
_OLDEST_MS, _NEWEST_MS = 400 * DAY_MS, DAY_MS


_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Range:
    """Rows of one partition from offset `first` to `last`, both included."""

    topic: str
    partition: int
    first: int
    last: int
    rows: list[UsageRow]

    @property
    def token(self) -> str:
        """Return a name that is the same for the same range, whichever process forms it."""
        return f"{self.topic}-{self.partition}-{self.first}-{self.last}"


@dataclass
class PartitionBuffer:
    """What was read of one partition and not inserted yet. `first` is where the next range begins.

    `pending_last` is set where an earlier process announced a range and may have inserted it.
    """

    topic: str
    partition: int
    first: int
    pending_last: int | None = None
    records: list[tuple[int, Sequence[UsageRow]]] = field(default_factory=list)
    oldest_at: float = 0.0
    row_count: int = 0

    def add(self, offset: int, rows: Sequence[UsageRow], now: float) -> None:
        """Add the rows of a record that was read at `now`; one that gave none belongs to the range, too."""
        if not self.records:
            self.oldest_at = now
        self.records.append((offset, rows))
        self.row_count += len(rows)

    def due(self, batch_rows: int, *, is_time: bool) -> Range | None:
        """Return the range to insert now: a pending one, a full one, or all at its time; None if there is none."""
        if not self.records:
            return None
        newest = self.records[-1][0]
        if self.pending_last is not None:
            return self._range(self.pending_last) if newest >= self.pending_last else None
        if self.row_count >= batch_rows:
            return self._range(self._full_at(batch_rows))
        return self._range(newest) if is_time else None

    def done(self, finished: Range) -> None:
        """Drop the rows of a range that is inserted and committed."""
        self.records = [(offset, rows) for offset, rows in self.records if offset > finished.last]
        self.row_count = sum(len(rows) for _, rows in self.records)
        self.first = finished.last + 1
        self.pending_last = None

    def _full_at(self, batch_rows: int) -> int:
        """Return the offset of the record with which the range is full; a record is never divided."""
        counts = accumulate(len(rows) for _, rows in self.records)
        return next(offset for (offset, _), count in zip(self.records, counts, strict=True) if count >= batch_rows)

    def _range(self, last: int) -> Range:
        rows = [row for offset, rows in self.records if offset <= last for row in rows]
        return Range(self.topic, self.partition, self.first, last, rows)


def check_row(event: UsageEvent, now_ms: int) -> None:
    """Raise PermanentError for an event that ClickHouse would refuse: its whole insert would fail for ever."""
    check_usage(event)
    check_number("at", event.at, least=now_ms - _OLDEST_MS, most=now_ms + _NEWEST_MS)


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
        "kafka_partition": record.partition,
        "kafka_offset": record.offset,
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

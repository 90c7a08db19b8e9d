"""Which offsets go into one insert, so that a repeat makes exactly the same one. Pure.

The protocol for each partition (after the exactly-once design of clickhouse-kafka-connect, with Kafka's
commit metadata in the place of its state table):
1. commit the range's first offset with the range's last one in the metadata: the range is pending;
2. insert the rows with a token that names partition and range: ClickHouse takes it once;
3. commit the offset behind the range without metadata: the range is done.
Who finds a pending range at the start forms exactly that range again and goes on with 2.

A usage event as a row of usage_events. Pure.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.errors import PermanentError
from schemas.events import UsageEvent
from schemas.records import InboundRecord
from schemas.topics import DAY_MS
from schemas.validity import check_number, check_usage

Row = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Rows of one partition from offset `first` to `last`, both included."""

    topic: str
    partition: int
    first: int
    last: int
    rows: list[Row]

    @property
    def token(self) -> str:
        """The same for the same range, whoever forms it."""
        return f"{self.topic}-{self.partition}-{self.first}-{self.last}"


@dataclass
class PartitionBuffer:
    """What has been read of one partition and not inserted yet. `first` is where the next range begins.

    `pending_last` is set where an earlier process announced a range and may have inserted it.
    """

    topic: str
    partition: int
    first: int
    pending_last: int | None = None
    rows: list[tuple[int, Row | None]] = field(default_factory=list)
    oldest_at: float = 0.0

    def add(self, offset: int, row: Row | None, now: float) -> None:
        """A record; None for one that gave no row but has its place in the range."""
        if not self.rows:
            self.oldest_at = now
        self.rows.append((offset, row))

    def due(self, batch_rows: int, is_old: Callable[[float], bool]) -> Range | None:
        """The range to insert now, if there is one."""
        if not self.rows:
            return None
        if self.pending_last is not None:
            return self._range(self.pending_last) if self.rows[-1][0] >= self.pending_last else None
        if len(self.rows) >= batch_rows:
            return self._range(self.rows[batch_rows - 1][0])
        return self._range(self.rows[-1][0]) if is_old(self.oldest_at) else None

    def done(self, finished: Range) -> None:
        """The range is inserted and committed."""
        self.rows = [(offset, row) for offset, row in self.rows if offset > finished.last]
        self.first = finished.last + 1
        self.pending_last = None

    def _range(self, last: int) -> Range:
        rows = [row for offset, row in self.rows if offset <= last and row is not None]
        return Range(self.topic, self.partition, self.first, last, rows)


Row_usage_rows = dict[str, object]

# Rows live 400 days (ddl/001_usage_events.sql), in one part for each month of an insert, of which ClickHouse
# takes 100. Clocks may differ by a day.
_OLDEST_MS, _NEWEST_MS = 400 * DAY_MS, DAY_MS


def check_row(event: UsageEvent, now_ms: int) -> None:
    """Raises PermanentError for what ClickHouse would refuse, and the rows beside it for ever with it."""
    check_usage(event)
    check_number("at", event.at, least=now_ms - _OLDEST_MS, most=now_ms + _NEWEST_MS)


def row_of(event: UsageEvent, record: InboundRecord) -> Row_usage_rows:
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


def columns_of(rows: Sequence[Row_usage_rows]) -> dict[str, list[object]]:
    """The rows column by column."""
    return {name: [row[name] for row in rows] for name in rows[0]}

"""Choose which offsets of usage go into one insert. Pure.

An insert that is repeated must have exactly the same rows and the same token, so that ClickHouse takes it once.
The protocol for each partition (after the exactly-once design of clickhouse-kafka-connect, with Kafka's commit
metadata in place of its state table):

1. Commit the range's first offset, with its last offset in the metadata: the range is pending.
2. Insert the rows, with a token that names the partition and the range.
3. Commit the offset behind the range, without metadata: the range is done.

A process that finds a pending range when it starts forms exactly that range again and goes on with step 2.
"""

from dataclasses import dataclass, field
from itertools import accumulate

from stream_apps.usage_sink.rows.usage import UsagePart


@dataclass(frozen=True)
class Range:
    """Rows of one partition from offset `first` to `last`, both included: a part for each record that has any."""

    topic: str
    partition: int
    first: int
    last: int
    parts: list[UsagePart]

    @property
    def row_count(self) -> int:
        """Count the rows of all parts."""
        return sum(map(len, self.parts))

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
    records: list[tuple[int, UsagePart]] = field(default_factory=list)
    oldest_at: float = 0.0
    oldest_ms: int = 0
    row_count: int = 0

    def add(self, offset: int, rows: UsagePart, now: float, timestamp_ms: int = 0) -> None:
        """Add the rows of a record that was read at `now`; one that gave none belongs to the range, too.

        `timestamp_ms` is the record's own: that of the first one tells how far the sink is behind.
        """
        if not self.records:
            self.oldest_at, self.oldest_ms = now, timestamp_ms
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
        parts = [rows for offset, rows in self.records if offset <= last and len(rows)]
        return Range(self.topic, self.partition, self.first, last, parts)

"""Insert the rows of topics whose records have an identity of their own: repeats replace them, so none is counted.

Nothing is announced. Rows of all partitions go into one insert for each table, then the offsets are committed; who
dies between the two leaves rows that come again and are the same. A record that no row can be made of is counted,
logged and passed over: it stays in its topic, and none of these rows is billed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.kafka.range_reader import Partition
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.records import InboundRecord
from stream_apps.usage_sink.inserting import Inserter, Row
from stream_apps.usage_sink.rows import rows_of

log = structlog.get_logger()


class OffsetCommits(Protocol):
    """Where offsets are committed (connectors.kafka.range_reader.RangeReader)."""

    def finish(self, lasts: Mapping[Partition, int]) -> None:
        """Commit, for each partition, that everything up to that offset is inserted."""


@dataclass
class RecordSink:
    """Give it records with `accept` and call `write_due` again and again, on one thread. Raises as UsageSink does.

    A row waits for others for `batch_seconds`, or until there are `batch_rows`.
    """

    commits: OffsetCommits
    inserter: Inserter
    codec: Codec
    now_ms: Callable[[], int]
    batch_seconds: float = 1.5
    batch_rows: int = 20_000
    _rows: dict[str, list[Row]] = field(default_factory=dict, init=False)
    _lasts: dict[Partition, int] = field(default_factory=dict, init=False)
    _count: int = field(default=0, init=False)
    _oldest_at: float = field(default=0.0, init=False)

    def accept(self, records: Sequence[InboundRecord]) -> None:
        """Make rows of the records."""
        if records and not self._lasts:
            self._oldest_at = self.inserter.retry.clock()
        for record in records:
            self._lasts[record.topic, record.partition] = record.offset
            for table, row in self._read(record):
                self._rows.setdefault(table, []).append(row)
                self._count += 1

    def write_due(self) -> None:
        """Insert and commit what has waited long enough. Blocks for the retries of an insert."""
        is_old = self._lasts and self.inserter.retry.clock() - self._oldest_at >= self.batch_seconds
        if is_old or self._count >= self.batch_rows:
            self.drain()

    def drain(self) -> None:
        """Insert and commit everything that was read."""
        if not self._lasts:
            return
        for table, rows in self._rows.items():
            self.inserter.insert(table, rows)
        self.commits.finish(self._lasts)
        self.forget()

    def forget(self) -> None:
        """Drop what was read and is not inserted."""
        self._rows, self._lasts, self._count = {}, {}, 0

    def _read(self, record: InboundRecord) -> list[tuple[str, Row]]:
        try:
            return rows_of(record, self.codec, self.now_ms())
        except PermanentError as error:
            metrics.SINK_SKIPPED.labels(record.topic).inc()
            log.warning("record_passed_over", at=record.coordinates, cause=error.cause)
            return []

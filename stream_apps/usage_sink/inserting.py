"""Insert rows until ClickHouse has them, or give the membership up in time."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from connectors.telemetry import metrics
from schemas.errors import TransientError
from stream_apps.runtime.retry import RetryPolicy

log = structlog.get_logger()

_RETRY = RetryPolicy()

Row = Mapping[str, object]
"""One row of a table: column name -> value."""


class Tables(Protocol):
    """Where rows go (connectors.clickhouse.database.Database)."""

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Insert the columns; a token that was inserted before changes nothing. Blocks; raises TransientError."""


@dataclass(frozen=True)
class InsertRetry:
    """How long an insert is tried again before the sink leaves its group, in seconds.

    `longest_seconds` is below the group's longest time between two polls, so that the sink leaves by itself before
    it is thrown out. `sleep` should return early when the process is to stop.
    """

    longest_seconds: float = 60.0
    should_stop: Callable[[], bool] = lambda: False
    on_waiting: Callable[[str], None] = lambda _reason: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass(frozen=True)
class Inserter:
    """Inserts into any table, again until ClickHouse has the rows."""

    tables: Tables
    retry: InsertRetry = field(default_factory=InsertRetry)

    def insert(self, table: str, rows: Sequence[Row], token: str = "") -> None:
        """Insert the rows, with the same token at each try. Raises the last TransientError when the time is up.

        Then start again with a new reader: whatever was announced or not committed comes again.
        """
        if rows:
            self.insert_columns(table, columns_of(rows), token)

    def insert_columns(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Insert rows that are columns already, as `insert` does. There must be one row at least."""
        count, started, failures = len(next(iter(columns.values()))), self.retry.clock(), 0
        while True:
            try:
                self.tables.insert(table, columns, token)
                break
            except TransientError as error:
                failures += 1
                log.warning("insert_retried", error=str(error), table=table, rows=count, failures=failures)
                self._wait(error, failures, self.retry.clock() - started)
        metrics.SINK_ROWS.labels(table).inc(count)
        metrics.SINK_INSERT_SECONDS.labels(table).observe(self.retry.clock() - started)

    def _wait(self, error: TransientError, failures: int, waited_seconds: float) -> None:
        """Pause before the next try, or raise the error when the time is up or the process is to stop."""
        pause = _RETRY.pause_seconds(failures, random.random())
        if self.retry.should_stop() or waited_seconds + pause > self.retry.longest_seconds:
            raise error
        self.retry.on_waiting(str(error))
        self.retry.sleep(pause)


def columns_of(rows: Sequence[Row]) -> dict[str, list[object]]:
    """Return the rows as columns, the form in which ClickHouse takes them. There must be one row at least."""
    return {name: [row[name] for row in rows] for name in rows[0]}

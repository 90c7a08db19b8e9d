"""Find jobs that the state has forgotten and whose results Kafka still holds, in the books.

This module knows the question and its SQL; connectors/clickhouse/client.py asks it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from connectors.redis.job_view import JobView
from producers.http.blocking.usage import Client, Row, unread_books
from schemas.errors import PermanentError, TransientError
from schemas.ids import JobKey
from schemas.states import JobStage, ResultStatus, parse_optional_member

_COLUMNS = (
    "status, kind, priority, pool, source_language, target_language, segments, cached_segments, source_words,"
    " toUnixTimestamp64Milli(submitted_at) AS submitted_ms, toUnixTimestamp64Milli(completed_at) AS completed_ms"
)


class PastJobs(Protocol):
    """Tells of finished jobs that the state has forgotten."""

    async def find(self, key: JobKey) -> JobView | None:
        """Return how the job ended; None where no result of it can be left. Raises TransientError."""


class NoPastJobs:
    """Stands where no address of the books is configured: what the state has forgotten is unknown."""

    async def find(self, key: JobKey) -> JobView | None:
        del key
        return None


@dataclass(frozen=True)
class BookedJobs:
    """Asks the analytics process, or a ClickHouse server. The client blocks, so it works in threads.

    `kept_ms`: how long Kafka keeps a result.
    """

    open_client: Callable[[], Client]
    kept_ms: int
    now_ms: Callable[[], int]

    async def find(self, key: JobKey) -> JobView | None:
        sql = newest_answer_sql(key, self.now_ms() - self.kept_ms)
        try:
            rows = await asyncio.to_thread(lambda: self.open_client().query(sql))
        except (PermanentError, TransientError) as error:
            raise unread_books(error) from error
        return _view(key, rows[0]) if rows else None


def newest_answer_sql(key: JobKey, since_ms: int) -> str:
    """Return the SQL for the newest answer of a job since a time; ids are in hex, as callers choose them."""
    tenant, request_id = (part.encode(errors="replace").hex() for part in key)
    return (
        f"SELECT {_COLUMNS} FROM requests FINAL"
        f" WHERE tenant = unhex('{tenant}') AND request_id = unhex('{request_id}')"
        f" AND completed_at >= fromUnixTimestamp64Milli(toInt64({since_ms})) ORDER BY answer DESC LIMIT 1"
    )


def _view(key: JobKey, row: Row) -> JobView:
    same = ("kind", "priority", "pool", "source_language", "target_language", "segments", "cached_segments")
    return JobView(
        key=key,
        stage=JobStage.FINISHED,
        status=parse_optional_member(ResultStatus, "status", row["status"]),
        progress=1.0,
        words=row["source_words"],
        submitted_at=row["submitted_ms"],
        updated_at=row["completed_ms"],
        **{name: row[name] for name in same},
    )

"""Let few queries run at a time, each on a connection of its own, and few wait: none of them can hold up the sink.

The sink has its own connection, so it waits for no query; what queries may take of the machine is bounded by their
number, their threads, their memory and their time.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from connectors.clickhouse.database import Database
from schemas.errors import PermanentError
from stream_apps.usage_sink.settings import QueryLimits

T = TypeVar("T")

BUSY_CURE = "ask again in a moment, or raise DRAGOMAN_ANALYTICS_MAX_QUERIES or _QUEUED_QUERIES"


class QueryQueue:
    """For one event loop. Whoever opened the databases closes them, after `close`."""

    def __init__(self, databases: Sequence[Database], limits: QueryLimits) -> None:
        self._free = list(databases)
        self._slots = asyncio.Semaphore(len(databases))
        self._threads = ThreadPoolExecutor(len(databases), thread_name_prefix="query")
        self._limits = limits
        self._waiting = 0

    async def run(self, work: Callable[[Database], T]) -> T:
        """Do the work with a database. Raises PermanentError (busy) where too many wait, or one for too long."""
        await self._take_slot()
        # Work that nobody waits for any more still has its slot: a thread cannot be stopped.
        task = asyncio.ensure_future(self._work(work))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Wait for the queries that run."""
        self._threads.shutdown()

    async def _take_slot(self) -> None:
        if self._slots.locked() and self._waiting >= self._limits.queued:
            raise _busy(f"{self._waiting} queries wait already", f"{self._limits.queued} that wait")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._slots.acquire(), self._limits.wait_seconds)
        except TimeoutError:
            seconds = f"{self._limits.wait_seconds:g} s"
            raise _busy(f"no query ended within {seconds}", f"{seconds} in the queue") from None
        finally:
            self._waiting -= 1

    async def _work(self, work: Callable[[Database], T]) -> T:
        database = self._free.pop()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, database)
        finally:
            self._free.append(database)
            self._slots.release()


def _busy(message: str, limit: str) -> PermanentError:
    return PermanentError("busy", message, limit=limit, cure=BUSY_CURE)

"""Look in Redis for results that the tail has not told of, for all who wait in this process together.

The tail misses what is published while Kafka is away, and what a killed assembler's successor tells. Callers who
wait for a job that is known do not look themselves: one question covers hundreds of them, and those who wait for
the same job are one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

import structlog

from schemas.errors import TransientError
from schemas.ids import JobKey

log = structlog.get_logger()

_AT_ONCE = 250

Results = Callable[[Sequence[JobKey]], Awaitable[Sequence[bytes | None]]]


class Awaited(Protocol):
    """The part of ResultTail that is needed here."""

    def awaited(self) -> list[JobKey]:
        """Return the jobs whose results somebody waits for."""

    def tell(self, key: JobKey, encoded: bytes) -> None:
        """Hand a result to those who wait for it."""


async def tell_missed_results(
    tail: Awaited, results: Results, every_seconds: float, looks_per_second: float
) -> None:
    """Look at each awaited job every so many seconds until cancelled; with many of them, more rarely."""
    while True:
        await asyncio.sleep(every_seconds)
        for some in _portions(tail.awaited()):
            try:
                found = await results(some)
            except TransientError as error:
                log.warning("missed_results_not_looked_for", error=str(error))
                break
            for key, encoded in zip(some, found, strict=True):
                if encoded is not None:
                    tail.tell(key, encoded)
            await asyncio.sleep(len(some) / looks_per_second)


def _portions(keys: Sequence[JobKey]) -> Iterator[Sequence[JobKey]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]

"""Let a few do something slow at a time, some more wait for their turn, and refuse the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from producers.http.problems import OverloadedError

_RETRY_AFTER_SECONDS = 2


class WaitingLine:
    """A line of at most `most` callers, of whom `at_once` have their turn. For one event loop."""

    def __init__(self, at_once: int, most: int, refusal: str) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._most = most
        self._refusal = refusal
        self._in_line = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it inside the context. Raises OverloadedError where the line is full."""
        if self._in_line >= self._most:
            raise OverloadedError(self._refusal, _RETRY_AFTER_SECONDS)
        self._in_line += 1
        try:
            async with self._turns:
                yield
        finally:
            self._in_line -= 1

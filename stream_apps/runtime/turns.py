"""Let the topics of one process use the processor in turns, the most urgent first. For one event loop."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Of so many turns in a row the least urgent topic that waits gets one.
_FAIR_TURN = 4


class Turns:
    """One holder at a time. Of those that wait the lowest rank is next, but in each fourth turn the highest."""

    def __init__(self) -> None:
        self._is_taken = False
        self._given = 0
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, rank: int) -> AsyncIterator[None]:
        """Wait for a turn and hold it in the body."""
        await self._take(rank)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, rank: int) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(rank, deque()).append(given)
        try:
            await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        self._given += 1
        while ranks := sorted(rank for rank, line in self._waiting.items() if line):
            given = self._waiting[ranks[-1] if self._given % _FAIR_TURN == 0 else ranks[0]].popleft()
            if not given.cancelled():
                given.set_result(None)
                return
        self._is_taken = False

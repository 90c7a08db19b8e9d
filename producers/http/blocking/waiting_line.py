"""Let a few do something slow at a time, let some more wait for their turn, and refuse the others."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import ParamSpec, TypeVar

from producers.http.errors import OverloadedError

_RETRY_AFTER_SECONDS = 2

P = ParamSpec("P")
T = TypeVar("T")


class WaitingLine:
    """A line of at most `most` callers, of whom `at_once` have their turn. For one event loop.

    It has threads of its own, one for each turn, and starts them when they are needed: however slow the work is,
    it takes none of the threads that requests share (asyncio.to_thread has six of them on two cores).
    """

    def __init__(
        self, at_once: int, most: int, refusal: str, retry_after_seconds: int = _RETRY_AFTER_SECONDS
    ) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="line")
        self._most = most
        self._refusal = refusal
        self._retry_after_seconds = retry_after_seconds
        self._in_line = 0

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Wait for a turn, and return what the work returns. Raises OverloadedError where the line is full."""
        with self.place():
            async with self.turn():
                return await self.on_thread(work, *arguments, **named)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place in the line inside the context. Raises OverloadedError where the line is full."""
        if self._in_line >= self._most:
            raise OverloadedError(self._refusal, self._retry_after_seconds)
        self._in_line += 1
        try:
            yield
        finally:
            self._in_line -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it inside the context. For whoever has a place."""
        async with self._turns:
            yield

    async def on_thread(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what the work returns, done on a thread of the line. For whoever has a turn."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(work, *arguments, **named)
        )

"""Answer many questions by few round trips: what is asked while one is under way goes along with the next.

A thousand callers who look at Redis at the same time cost it and this process a handful of calls, and need one
connection instead of a thousand. A lone question waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from connectors.redis.client import AsyncClient, Call, run_each_async

Question = TypeVar("Question")
Reply = TypeVar("Reply")


class SharedTrips(Generic[Question, Reply]):
    """For one event loop. `ask_all` returns a reply for each question, in order; `most` go in one trip.

    A reply that is an exception is raised where it was asked for; what `ask_all` raises, by all who asked.
    """

    def __init__(
        self, ask_all: Callable[[Sequence[Question]], Awaitable[Sequence[Reply | Exception]]], most: int = 256
    ) -> None:
        self._ask_all = ask_all
        self._most = most
        self._waiting: deque[tuple[Question, asyncio.Future[Reply]]] = deque()
        self._trips: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Reply:
        """Return the reply. Raises what the trip raises, TransientError where Redis is away."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._trips is None or self._trips.done():
            self._trips = asyncio.create_task(self._travel())
        return await answer

    async def _travel(self) -> None:
        while self._waiting:
            asked = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            try:
                replies = await self._ask_all([question for question, _ in asked])
            except Exception as error:  # not ours to judge: whoever asked gets it
                replies = [error] * len(asked)
            for (_, answer), reply in zip(asked, replies, strict=True):
                _settle(answer, reply)


def shared_calls(client: AsyncClient) -> SharedTrips[Call, Any]:
    """Let scripts run together. The error of one fails only whoever asked for it."""
    return SharedTrips(lambda calls: run_each_async(client, calls))


def _settle(answer: asyncio.Future[Reply], reply: Reply | Exception) -> None:
    # Done already: whoever asked has been cancelled.
    if answer.done():
        return
    if isinstance(reply, Exception):
        answer.set_exception(reply)
    else:
        answer.set_result(reply)

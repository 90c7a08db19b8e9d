"""Which open requests have a deadline, in its order. Only advice: an order to end a request may come too late,
and then it loses against the answer.

State Redis, sorted set `deadlines`: request id by deadline (ms). Kept by the status projection.
"""

from collections.abc import Collection

from connectors.redis.client import AsyncClient, Client, redis_errors

_KEY = "deadlines"


class DeadlineWriter:
    """For an event loop. Raises TransientError."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def add(self, request_id: str, deadline_ms: int) -> None:
        """May be repeated."""
        with redis_errors():
            await self._client.zadd(_KEY, {request_id: deadline_ms})

    async def remove(self, request_id: str) -> None:
        """Nobody waits for it any more."""
        with redis_errors():
            await self._client.zrem(_KEY, request_id)


class Deadlines:
    """For threads. Raises TransientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def passed(self, now_ms: int, limit: int) -> list[str]:
        """Up to `limit` requests whose deadline is over, the oldest first."""
        with redis_errors():
            found = self._client.zrange(_KEY, "-inf", now_ms, byscore=True, offset=0, num=limit)
        return [member.decode() for member in found]  # type: ignore[union-attr]  # ours are bytes

    def remove(self, request_ids: Collection[str]) -> None:
        """Their end is ordered."""
        if request_ids:
            with redis_errors():
                self._client.zrem(_KEY, *request_ids)

"""Keep what tenants have spent of their budgets, for all processes that take requests.

State Redis: `spending`, a hash, tenant -> month, spent, budget and whether it stops (schemas/budgets.py). The
analytics process writes all of it at every measurement; it is gone an hour after the last.
"""

from collections.abc import Mapping
from typing import Any

from connectors.redis.client import AsyncClient, Client, redis_errors
from schemas.budgets import Spending

_KEY = "spending"
_KEPT_SECONDS = 3600


class RedisSpending:
    """The side that measures, for threads. Raises TransientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(self, spending: Mapping[str, Spending]) -> None:
        """Replace what was written before."""
        with redis_errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.delete(_KEY)
            if spending:
                pipeline.hset(_KEY, mapping={tenant: one.encode() for tenant, one in spending.items()})
                pipeline.expire(_KEY, _KEPT_SECONDS)
            pipeline.execute()

    def read(self) -> dict[str, Spending]:
        """Return what was written last."""
        with redis_errors():
            return _decoded(self._client.hgetall(_KEY))


class AsyncRedisSpending:
    """The side that refuses, for an event loop. Raises TransientError."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def read(self) -> dict[str, Spending]:
        """Return what was written last."""
        with redis_errors():
            return _decoded(await self._client.hgetall(_KEY))


def _decoded(fields: Mapping[Any, Any]) -> dict[str, Spending]:
    return {tenant.decode(): Spending.decode(text) for tenant, text in fields.items()}

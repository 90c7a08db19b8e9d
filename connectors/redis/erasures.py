"""List the requests that were erased lately, so that what they left elsewhere is deleted.

`erasures`: sorted set of their keys by the time of the erasure (ms), written with the answer
(connectors/redis/slots.py).
"""

from collections.abc import Collection
from typing import cast

from connectors.redis.client import Client, redis_errors
from connectors.redis.slots import ERASURES_KEY
from schemas.ids import JobKey


class RedisErasures:
    """For threads. Raises TransientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> dict[JobKey, int]:
        """Return when each request was erased, in milliseconds since the epoch, the earliest first."""
        with redis_errors():
            found = cast(list[tuple[bytes, float]], self._client.zrange(ERASURES_KEY, 0, -1, withscores=True))
        return {JobKey.parse(name.decode()): int(at_ms) for name, at_ms in found}

    def forget(self, keys: Collection[JobKey]) -> None:
        """Forget these: nothing is left of them."""
        if keys:
            with redis_errors():
                self._client.zrem(ERASURES_KEY, *map(str, keys))

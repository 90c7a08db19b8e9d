"""Announce who is there: workers tell the models they serve, and one of several equal processes holds a lease.

State Redis:
`models:{pool}`   hash, pair -> `expiry in ms:version`. Each pair expires by itself, so a model that no worker
                  serves any more disappears although the pool's other workers live on
`lease:{name}`    the holder; gone when it has been silent for the seconds of the lease
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.redis.client import AsyncClient, Call, Client, redis_errors, run_all, script

Clock = Callable[[], float]

_NEVER = float("-inf")


class ModelRegistry:
    """What workers announce and others read. For threads. `clock`: seconds since 1970. Raises TransientError."""

    def __init__(self, client: Client, clock: Clock = time.time) -> None:
        self._client = client
        self._clock = clock

    def publish(self, pool: str, versions: Mapping[str, str], ttl_seconds: int) -> None:
        """Announce that this worker serves these pairs; to be repeated well within `ttl_seconds`."""
        if not versions:
            return
        expiry_ms = round((self._clock() + ttl_seconds) * 1000)
        fields: dict[Any, Any] = {pair: f"{expiry_ms}:{version}" for pair, version in versions.items()}
        with redis_errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(_models_key(pool), mapping=fields)
            pipeline.expire(_models_key(pool), ttl_seconds)
            pipeline.execute()

    def read(self, pool: str) -> dict[str, str]:
        """Return pair -> model version; empty when no worker of the pool is ready."""
        with redis_errors():
            return _living(self._client.hgetall(_models_key(pool)), self._clock())


class AsyncModelRegistry:
    """The read side for an event loop; asks Redis about each pool at most once in `cache_seconds`."""

    def __init__(self, client: AsyncClient, cache_seconds: float = 5.0, clock: Clock = time.time) -> None:
        self._client = client
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._answers: dict[str, tuple[float, dict[str, str]]] = {}

    async def read(self, pool: str) -> dict[str, str]:
        asked_at, versions = self._answers.get(pool, (_NEVER, {}))
        if self._clock() - asked_at >= self._cache_seconds:
            with redis_errors():
                versions = _living(await self._client.hgetall(_models_key(pool)), self._clock())
            self._answers[pool] = (self._clock(), versions)
        return versions


class Lease:
    """Makes one of several equal processes act while the others stand by. For threads. Raises TransientError.

    Only advice: what is done under a lease must bear being done by two at once, as after a loss of Redis or a long
    pause of the holder.
    """

    def __init__(self, client: Client, name: str, holder: str, seconds: float) -> None:
        self._client = client
        self._key = f"lease:{name}"
        self._holder = holder
        self._milliseconds = round(seconds * 1000)

    def hold(self) -> bool:
        """Take or prolong the lease, and tell whether it is ours; to be repeated well within its seconds."""
        call = Call(script("hold_lease"), (self._key,), (self._holder, self._milliseconds))
        return bool(run_all(self._client, [call])[0])

    def release(self) -> None:
        """Give the lease up, so that another may act at once. Does nothing where it is not ours."""
        with redis_errors():
            if self._client.get(self._key) == self._holder.encode():
                self._client.delete(self._key)


def _models_key(pool: str) -> str:
    return f"models:{pool}"


def _living(fields: Mapping[Any, Any], now_seconds: float) -> dict[str, str]:
    entries = ((pair.decode(), *value.decode().partition(":")[::2]) for pair, value in fields.items())
    return {pair: version for pair, expiry_ms, version in entries if int(expiry_ms) > now_seconds * 1000}

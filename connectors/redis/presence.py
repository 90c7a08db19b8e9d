"""Which pools can translate which pairs, and with which model version: workers publish, others read.

State Redis, hash `models:{pool}`: pair -> `expiry in ms:version`. Each pair expires by itself, so a model
that no worker serves any more disappears although the pool's other workers live on.

One of several equal processes acts; the others wait until it ends or is silent for a while. Only advice:
what is done under a lease must bear being done by two at once, as after a loss of Redis or a long pause.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.redis.client import AsyncClient, Call, Client, redis_errors, run_all, script

Clock = Callable[[], float]


class ModelRegistry:
    """For threads. `clock` gives seconds since the epoch. Raises TransientError."""

    def __init__(self, client: Client, clock: Clock = time.time) -> None:
        self._client = client
        self._clock = clock

    def publish(self, pool: str, versions: Mapping[str, str], ttl_seconds: int) -> None:
        """This worker serves these pairs; to be repeated well within `ttl_seconds`."""
        if not versions:
            return
        expiry_ms = round((self._clock() + ttl_seconds) * 1000)
        fields: dict[Any, Any] = {pair: f"{expiry_ms}:{version}" for pair, version in versions.items()}
        with redis_errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(_name(pool), mapping=fields)
            pipeline.expire(_name(pool), ttl_seconds)
            pipeline.execute()

    def read(self, pool: str) -> dict[str, str]:
        """Pair -> model version; empty when no worker of the pool is ready."""
        with redis_errors():
            return _living(self._client.hgetall(_name(pool)), self._clock())


class AsyncModelRegistry:
    """ModelVersions from Redis, each pool asked at most once in `cache_seconds`."""

    def __init__(self, client: AsyncClient, cache_seconds: float = 5.0, clock: Clock = time.time) -> None:
        self._client = client
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._answers: dict[str, tuple[float, dict[str, str]]] = {}

    async def read(self, pool: str) -> dict[str, str]:
        asked_at, versions = self._answers.get(pool, (-1e18, {}))
        if self._clock() - asked_at >= self._cache_seconds:
            with redis_errors():
                versions = _living(await self._client.hgetall(_name(pool)), self._clock())
            self._answers[pool] = (self._clock(), versions)
        return versions


def _name(pool: str) -> str:
    return f"models:{pool}"


def _living(fields: Mapping[Any, Any], now_seconds: float) -> dict[str, str]:
    entries = ((pair.decode(), *value.decode().partition(":")[::2]) for pair, value in fields.items())
    return {pair: version for pair, expiry_ms, version in entries if int(expiry_ms) > now_seconds * 1000}


class Lease:
    """In the state Redis, key `lease:<name>`. Raises TransientError."""

    def __init__(self, client: Client, name: str, holder: str, seconds: float) -> None:
        self._client = client
        self._key = f"lease:{name}"
        self._holder = holder
        self._milliseconds = round(seconds * 1000)

    def hold(self) -> bool:
        """Whether it is ours, for the next seconds; to be repeated well within them."""
        call = Call(script("hold_lease"), (self._key,), (self._holder, self._milliseconds))
        return bool(run_all(self._client, [call])[0])

    def release(self) -> None:
        """Somebody else may act at once. Nothing happens where it is not ours."""
        with redis_errors():
            if self._client.get(self._key) == self._holder.encode():
                self._client.delete(self._key)

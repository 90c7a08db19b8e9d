"""Announce who is there: workers tell the models they serve, and one of several equal processes holds a lease.

State Redis:
`models:{pool}`   hash, digest -> `expiry in ms:JSON`: the sets of languages of all models of a worker, so that
                  equal workers share one entry. Each entry expires by itself, so a model that no worker serves
                  any more disappears although the pool's other workers live on
`lease:{name}`    the holder; gone when it has been silent for the seconds of the lease
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from connectors.redis.client import AsyncClient, Call, Client, redis_errors, run_all, script
from schemas.catalogue import Catalogue, LanguageSet
from schemas.ids import fingerprint

Clock = Callable[[], float]

# When and what, of a pool that was not asked for yet.
_NOTHING_ASKED = (float("-inf"), Catalogue())
# Entries of workers that are gone for so long are deleted by those that live.
_FORGET_SECONDS = 600


class ModelRegistry:
    """What workers announce and others read. For threads. `clock`: seconds since 1970. Raises TransientError."""

    def __init__(self, client: Client, clock: Clock = time.time) -> None:
        self._client = client
        self._clock = clock

    def publish(self, pool: str, models: Sequence[LanguageSet], ttl_seconds: int) -> None:
        """Announce that this worker has these models; to be repeated well within `ttl_seconds`."""
        if not models:
            return
        written, now_ms = _written(models), round(self._clock() * 1000)
        name, value = fingerprint(written.encode()), f"{now_ms + ttl_seconds * 1000}:{written}"
        with redis_errors():
            entries = self._client.hgetall(_models_key(pool))
            forgotten = _forgotten(entries, now_ms - _FORGET_SECONDS * 1000) - {name.encode()}
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.hset(_models_key(pool), name, value)
                pipeline.expire(_models_key(pool), ttl_seconds)
                if forgotten:
                    pipeline.hdel(_models_key(pool), *forgotten)
                pipeline.execute()

    def read(self, pool: str) -> Catalogue:
        """Return what the pool's workers translate; an empty catalogue when none of them is ready."""
        with redis_errors():
            return _living(self._client.hgetall(_models_key(pool)), self._clock())


class AsyncModelRegistry:
    """The read side for an event loop; asks Redis about each pool at most once in `cache_seconds`.

    `clock`: seconds since 1970, as entries expire by it; `monotonic` is never set back, and tells when to ask.
    """

    def __init__(
        self,
        client: AsyncClient,
        cache_seconds: float = 5.0,
        clock: Clock = time.time,
        monotonic: Clock = time.monotonic,
    ) -> None:
        self._client = client
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._answers: dict[str, tuple[float, Catalogue]] = {}

    async def read(self, pool: str) -> Catalogue:
        asked_at, catalogue = self._answers.get(pool, _NOTHING_ASKED)
        if self._monotonic() - asked_at >= self._cache_seconds:
            with redis_errors():
                catalogue = _living(await self._client.hgetall(_models_key(pool)), self._clock())
            self._answers[pool] = (self._monotonic(), catalogue)
        return catalogue


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


def _living(fields: Mapping[Any, Any], now_seconds: float) -> Catalogue:
    # In a fixed order, so that all readers name the same version while workers of two versions live.
    entries = (value.decode().partition(":")[::2] for value in fields.values())
    living = sorted(written for expiry_ms, written in entries if int(expiry_ms) > now_seconds * 1000)
    return _read(tuple(living))


def _forgotten(fields: Mapping[Any, Any], before_ms: float) -> set[Any]:
    return {name for name, value in fields.items() if int(value.partition(b":")[0]) < before_ms}


def _written(models: Sequence[LanguageSet]) -> str:
    ordered = [[one.version, sorted(one.sources), sorted(one.targets)] for one in models]
    return json.dumps(sorted(ordered), separators=(",", ":"))


@lru_cache(maxsize=32)
def _read(living: tuple[str, ...]) -> Catalogue:
    """Parse what changes only when workers come or go with other models."""
    return Catalogue(*map(_sets, living))


def _sets(written: str) -> list[LanguageSet]:
    models = json.loads(written)
    return [LanguageSet(frozenset(sources), frozenset(targets), version) for version, sources, targets in models]

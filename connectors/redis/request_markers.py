"""Keep what the state Redis knows of a request beside its slots and its view, each by the key of the request.

`seen:{key}`    the fingerprint of an accepted payload, written only after its batches are delivered
`result:{key}`  the encoded result for HTTP callers, for a limited time; the results topic remains the record
`deadlines`     sorted set of open requests by deadline (ms), kept by the status projection. Only advice: an order
                that comes too late loses against the answer
`done:{key}`    who answers the request; written by connectors/redis/slots.py and only read here
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

import structlog

from connectors.redis.client import AsyncClient, Client, redis_errors
from connectors.redis.slots import are_answered
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.slots import RequestRevision

log = structlog.get_logger()

_DEADLINES_KEY = "deadlines"
_DAY_SECONDS = 24 * 60 * 60
# A Redis that hangs costs its time-outs once, not in every cycle.
_UNASKED_SECONDS = 5.0


class RedisSeenRequests:
    """Fingerprints of the requests that were accepted before. For an event loop."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def look_up(self, key: JobKey) -> str | None:
        with redis_errors():
            value = await self._client.get(_seen_key(key))
        return value.decode() if isinstance(value, bytes) else None

    async def mark(self, fingerprints: Mapping[JobKey, str], ttl_seconds: int) -> None:
        with redis_errors():
            async with self._client.pipeline(transaction=False) as pipeline:
                for key, fingerprint in fingerprints.items():
                    pipeline.set(_seen_key(key), fingerprint, ex=ttl_seconds, nx=True)
                await pipeline.execute()

    async def forget(self, keys: Sequence[JobKey]) -> None:
        if not keys:
            return
        with redis_errors():
            await self._client.unlink(*map(_seen_key, keys))


class RedisAnsweredRequests:
    """Which requests are answered, so that nobody works for them any more. Only advice: it saves work.

    A marker counts when it is final: while an answer is under way its transaction may still be aborted, and then
    the batches are wanted again. For threads, one round trip. `clock` counts seconds.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._asks_again_at = clock()

    def among(self, requests: Collection[RequestRevision]) -> set[RequestRevision]:
        asked = list(dict.fromkeys(requests))
        if not asked or self._clock() < self._asks_again_at:
            return set()
        try:
            answers = are_answered(self._client, asked)
        except TransientError as error:
            self._asks_again_at = self._clock() + _UNASKED_SECONDS
            log.warning("answered_requests_unknown", error=str(error))
            return set()
        return {request for request, is_answered in zip(asked, answers, strict=True) if is_answered}


class ResultStore:
    """Encoded results of answered requests. For threads."""

    def __init__(self, client: Client, ttl_seconds: int = _DAY_SECONDS) -> None:
        self._client = client
        self._ttl_seconds = ttl_seconds

    def put_many(self, encoded: Mapping[JobKey, bytes]) -> None:
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for key, value in encoded.items():
                pipeline.set(_result_key(key), value, ex=self._ttl_seconds)
            pipeline.execute()

    def get(self, key: JobKey) -> bytes | None:
        with redis_errors():
            return cast(bytes | None, self._client.get(_result_key(key)))


class DeadlineWriter:
    """Notes the deadlines of open requests. For an event loop. Raises TransientError."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def add(self, key: JobKey, deadline_ms: int) -> None:
        """Note the deadline. May be repeated."""
        with redis_errors():
            await self._client.zadd(_DEADLINES_KEY, {str(key): deadline_ms})

    async def remove(self, key: JobKey) -> None:
        """Forget the deadline of a request that has ended."""
        with redis_errors():
            await self._client.zrem(_DEADLINES_KEY, str(key))


class Deadlines:
    """Reads the deadlines that have passed. For threads. Raises TransientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def passed(self, now_ms: int, limit: int) -> list[JobKey]:
        """List up to `limit` requests whose deadline has passed, the earliest deadline first."""
        with redis_errors():
            found = self._client.zrange(_DEADLINES_KEY, "-inf", now_ms, byscore=True, offset=0, num=limit)
        return [JobKey.parse(member.decode()) for member in found]  # type: ignore[union-attr]  # ours are bytes

    def remove(self, keys: Collection[JobKey]) -> None:
        """Forget the deadlines of requests whose end is ordered."""
        if keys:
            with redis_errors():
                self._client.zrem(_DEADLINES_KEY, *map(str, keys))


def _seen_key(key: JobKey) -> str:
    return f"seen:{key}"


def _result_key(key: JobKey) -> str:
    return f"result:{{{key}}}"

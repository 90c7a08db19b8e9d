"""Which requests were accepted before, and with which payload. Written only after their delivery.

Encoded results by request, for those who ask over HTTP; the results topic remains the record.

Which open requests have a deadline, in its order. Only advice: an order to end a request may come too late,
and then it loses against the answer.

State Redis, sorted set `deadlines`: request id by deadline (ms). Kept by the status projection.

Which requests are answered already, so that nobody works for them any more. Only advice: it saves work.

Reads the markers of connectors/redis/slots.py. A marker counts when it is final: while an answer is under way
its transaction may still be aborted, and then the batches are wanted again.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

import structlog

from connectors.redis.client import AsyncClient, Client, redis_errors
from connectors.redis.slots import are_answered
from schemas.errors import TransientError
from schemas.slots import RequestRevision

_PREFIX = "seen:"


class RedisSeenRequests:
    """In the state Redis."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def look_up(self, request_id: str) -> str | None:
        with redis_errors():
            value = await self._client.get(_PREFIX + request_id)
        return value.decode() if isinstance(value, bytes) else None

    async def mark(self, fingerprints: Mapping[str, str], ttl_seconds: int) -> None:
        with redis_errors():
            async with self._client.pipeline(transaction=False) as pipeline:
                for request_id, fingerprint in fingerprints.items():
                    pipeline.set(_PREFIX + request_id, fingerprint, ex=ttl_seconds, nx=True)
                await pipeline.execute()

    async def forget(self, request_ids: Sequence[str]) -> None:
        if not request_ids:
            return
        with redis_errors():
            await self._client.unlink(*(_PREFIX + request_id for request_id in request_ids))


_DAY_SECONDS = 24 * 60 * 60


class ResultStore:
    """In the state Redis, key `result:{id}`, for a limited time."""

    def __init__(self, client: Client, ttl_seconds: int = _DAY_SECONDS) -> None:
        self._client = client
        self._ttl_seconds = ttl_seconds

    def put_many(self, encoded: Mapping[str, bytes]) -> None:
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for request_id, value in encoded.items():
                pipeline.set(_key(request_id), value, ex=self._ttl_seconds)
            pipeline.execute()

    def get(self, request_id: str) -> bytes | None:
        with redis_errors():
            return cast(bytes | None, self._client.get(_key(request_id)))


def _key(request_id: str) -> str:
    return f"result:{{{request_id}}}"


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


log = structlog.get_logger()

# A Redis that hangs costs its time-outs once, not in every cycle.
_LEFT_ALONE_SECONDS = 5.0


class RedisAnsweredRequests:
    """One round trip. `clock` counts seconds."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._asks_again_at = clock()

    def among(self, request_revisions: Collection[RequestRevision]) -> set[RequestRevision]:
        asked = list(dict.fromkeys(request_revisions))
        if not asked or self._clock() < self._asks_again_at:
            return set()
        try:
            answers = are_answered(self._client, asked)
        except TransientError as error:
            self._asks_again_at = self._clock() + _LEFT_ALONE_SECONDS
            log.warning("answered_requests_unknown", error=str(error))
            return set()
        return {
            request_revision for request_revision, is_answered in zip(asked, answers, strict=True) if is_answered
        }

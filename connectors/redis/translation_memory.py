"""Remember translated segments. A cache: when it is unreachable, nothing is known and nothing fails.

Values: 4 bytes score (IEEE float, little-endian, NaN for none), a byte that counts the bytes of the warning, the
warning (ASCII), then the translation in UTF-8.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from connectors.redis.client import AsyncClient, Client, redis_errors
from connectors.telemetry.metrics import TRANSLATION_MEMORY_FAILURES
from schemas.errors import TransientError
from schemas.segments import Remembered

log = structlog.get_logger()

# The number is that of the form of the values: two versions of the platform may share a cache.
_PREFIX = "tm2:"
_HEAD = struct.Struct("<fB")


class RedisTranslationMemory:
    """For threads. One MGET for a look-up, one pipeline of SET EX to remember."""

    def __init__(self, client: Client, ttl_seconds: int) -> None:
        self._client = client
        self._ttl_seconds = ttl_seconds

    def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        if not keys:
            return []
        try:
            with redis_errors():
                return [_remembered(value) for value in self._client.mget(_names(keys))]
        except TransientError as error:
            return _nothing_known(error, len(keys))

    def put_many(self, items: Mapping[str, Remembered]) -> None:
        if not items:
            return
        try:
            with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
                for key, item in items.items():
                    pipeline.set(_PREFIX + key, _packed(item), ex=self._ttl_seconds)
                pipeline.execute()
        except TransientError as error:
            _count("write", error)


class AsyncRedisTranslationMemory:
    """The read side for an event loop. One MGET for a look-up."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        if not keys:
            return []
        try:
            with redis_errors():
                return [_remembered(value) for value in await self._client.mget(_names(keys))]
        except TransientError as error:
            return _nothing_known(error, len(keys))


def _names(keys: Sequence[str]) -> list[str]:
    return [_PREFIX + key for key in keys]


def _packed(item: Remembered) -> bytes:
    warning = (item.warning or "").encode()
    return _HEAD.pack(math.nan if item.score is None else item.score, len(warning)) + warning + item.text.encode()


def _remembered(value: Any) -> Remembered | None:
    # The client's type says bytes or text; ours are opened for bytes.
    if value is None or len(value) < _HEAD.size:
        return None
    score, length = _HEAD.unpack_from(value)
    start = _HEAD.size + length
    warning = value[_HEAD.size : start].decode() or None
    return Remembered(value[start:].decode(), None if math.isnan(score) else score, warning)


def _nothing_known(error: TransientError, count: int) -> list[Remembered | None]:
    _count("read", error)
    return [None] * count


def _count(operation: str, error: TransientError) -> None:
    TRANSLATION_MEMORY_FAILURES.labels(operation).inc()
    log.warning("translation_memory_away", operation=operation, error=str(error))

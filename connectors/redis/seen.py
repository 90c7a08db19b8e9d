"""Which requests were accepted before, and with which payload. Written only after their delivery."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from connectors.redis.client import AsyncClient, redis_errors

_PREFIX = "seen:"


class SeenRequests(Protocol):
    """Losing a marker is harmless (the same batches are sent again); a marker too early would not be."""

    async def look_up(self, request_id: str) -> str | None:
        """The fingerprint of the payload that was accepted, or None. Raises TransientError."""

    async def mark(self, fingerprints: Mapping[str, str], ttl_seconds: int) -> None:
        """Remember request id -> fingerprint; the first payload of an id stays. Raises TransientError."""

    async def forget(self, request_ids: Sequence[str]) -> None:
        """These requests are new again. Raises TransientError."""


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


class InMemorySeenRequests:
    """For tests and for a single process; remembers until it ends."""

    def __init__(self) -> None:
        self._fingerprints: dict[str, str] = {}

    async def look_up(self, request_id: str) -> str | None:
        return self._fingerprints.get(request_id)

    async def mark(self, fingerprints: Mapping[str, str], ttl_seconds: int) -> None:
        del ttl_seconds  # the process is short-lived
        self._fingerprints = {**fingerprints, **self._fingerprints}

    async def forget(self, request_ids: Sequence[str]) -> None:
        for request_id in request_ids:
            self._fingerprints.pop(request_id, None)

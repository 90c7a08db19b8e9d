"""Encoded results by request, for those who ask over HTTP; the results topic remains the record."""

from collections.abc import Mapping
from typing import Protocol, cast

from connectors.redis.client import Client, redis_errors

_DAY_SECONDS = 24 * 60 * 60


class Results(Protocol):
    """Raises TransientError."""

    def put_many(self, encoded: Mapping[str, bytes]) -> None:
        """Request -> framed TranslationResult; the latest wins."""

    def get(self, request_id: str) -> bytes | None:
        """The framed TranslationResult; None where there is none (any more)."""


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


class InMemoryResults:
    """For tests and for a single process."""

    def __init__(self) -> None:
        self._encoded: dict[str, bytes] = {}

    def put_many(self, encoded: Mapping[str, bytes]) -> None:
        self._encoded.update(encoded)

    def get(self, request_id: str) -> bytes | None:
        return self._encoded.get(request_id)


def _key(request_id: str) -> str:
    return f"result:{{{request_id}}}"

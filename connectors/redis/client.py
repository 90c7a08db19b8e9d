"""Opens Redis clients and turns their errors into ours. Nothing connects before the first command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError

from connectors.redis.settings import RedisSettings
from schemas.errors import FatalError, TransientError

Client = redis.Redis
AsyncClient = redis.asyncio.Redis

_RETRY_AFTER_SECONDS = 0.5


def open_cache(settings: RedisSettings) -> Client:
    """The cache, for threads."""
    return redis.Redis.from_url(settings.cache_url, **_options(settings))


def open_state(settings: RedisSettings) -> Client:
    """The state, for threads."""
    return redis.Redis.from_url(settings.state_url, **_options(settings))


def open_cache_async(settings: RedisSettings) -> AsyncClient:
    """The cache, for one event loop."""
    return redis.asyncio.Redis.from_url(settings.cache_url, **_options(settings))


def open_state_async(settings: RedisSettings) -> AsyncClient:
    """The state, for one event loop."""
    return redis.asyncio.Redis.from_url(settings.state_url, **_options(settings))


@contextmanager
def redis_errors() -> Iterator[None]:
    """What Redis raises inside becomes TransientError, or FatalError where it refuses our credentials."""
    try:
        yield
    except (AuthenticationError, AuthorizationError) as error:
        raise FatalError(f"Redis refuses the credentials: {error}") from error
    except (RedisError, OSError) as error:
        raise TransientError(f"Redis: {type(error).__name__}: {error}", _RETRY_AFTER_SECONDS) from error


def _options(settings: RedisSettings) -> dict[str, Any]:
    return {
        "socket_connect_timeout": settings.connect_timeout_seconds,
        "socket_timeout": settings.socket_timeout_seconds,
        "max_connections": settings.max_connections,
        "health_check_interval": 30,
    }

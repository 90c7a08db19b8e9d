"""Open Redis clients, turn their errors into ours, and run the Lua scripts beside this module.

Nothing connects before the first command. Scripts run by their hash: one round trip for any number of calls.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from redis.exceptions import AuthenticationError, AuthorizationError, NoScriptError, RedisError

from connectors.redis.settings import RedisSettings
from schemas.errors import FatalError, TransientError

Client = redis.Redis
AsyncClient = redis.asyncio.Redis
Argument = str | bytes | int

_RETRY_AFTER_SECONDS = 0.5
_SENTINEL_PORT = 26379
# Their constructors carry no types.
_sentinels: Any = redis.sentinel.Sentinel
_async_sentinels: Any = redis.asyncio.sentinel.Sentinel


class _SentinelPool(redis.asyncio.sentinel.SentinelConnectionPool, redis.asyncio.BlockingConnectionPool):
    """Waits for a free connection where the library's pool fails at once."""


@dataclass(frozen=True)
class SentinelPlace:
    """Where Sentinels answer, and by which name they know the state. `options`: user and password of the state."""

    sentinels: list[tuple[str, int]]
    name: str
    database: int
    options: dict[str, str]


@dataclass(frozen=True)
class Script:
    """The text of a script, and the hash by which Redis knows it."""

    text: str
    sha: str


@dataclass(frozen=True)
class Call:
    """One run of a script. Scripts may touch more than the keys that are named: the state is never a cluster."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]


def open_cache(settings: RedisSettings) -> Client:
    """Open the cache, for threads."""
    return redis.Redis.from_url(settings.cache_url, **_options(settings))


def open_state(settings: RedisSettings) -> Client:
    """Open the state, for threads: one server, or the one that Sentinels name the primary."""
    if place := sentinel_place(settings.state_url):
        watched = _sentinels(place.sentinels, sentinel_kwargs=_waits(settings), **place.options)
        primary: Client = watched.master_for(place.name, db=place.database, **_options(settings))
        return primary
    return redis.Redis.from_url(settings.state_url, **_options(settings))


def open_cache_async(settings: RedisSettings) -> AsyncClient:
    """Open the cache, for one event loop."""
    return _waiting(settings.cache_url, settings)


def open_state_async(settings: RedisSettings) -> AsyncClient:
    """Do the same as `open_state`, for one event loop."""
    if place := sentinel_place(settings.state_url):
        watched = _async_sentinels(place.sentinels, sentinel_kwargs=_waits(settings), **place.options)
        primary: AsyncClient = watched.master_for(
            place.name,
            connection_pool_class=_SentinelPool,
            db=place.database,
            timeout=settings.connect_timeout_seconds,
            **_options(settings),
        )
        return primary
    return _waiting(settings.state_url, settings)


def sentinel_place(url: str) -> SentinelPlace | None:
    """Read redis+sentinel://user:password@host:port,host:port/NAME/DATABASE; None for a URL of another scheme.

    User and password are those of the state, not of the Sentinels. Raises FatalError for one without a name.
    """
    parts = urlsplit(url)
    if parts.scheme != "redis+sentinel":
        return None
    login, _, hosts = parts.netloc.rpartition("@")
    name, _, database = parts.path.strip("/").partition("/")
    if not hosts or not name or (database and not database.isdecimal()):
        raise FatalError("a Sentinel URL is redis+sentinel://host:port,host:port/NAME/DATABASE")
    user, _, password = login.partition(":")
    given = {"username": unquote(user), "password": unquote(password)}
    options = {key: value for key, value in given.items() if value}
    return SentinelPlace([_address(host) for host in hosts.split(",")], name, int(database or 0), options)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn what Redis raises inside into TransientError, or FatalError where it refuses our credentials."""
    try:
        yield
    except (AuthenticationError, AuthorizationError) as error:
        raise FatalError(f"Redis refuses the credentials: {error}") from error
    except (RedisError, OSError) as error:
        raise _transient(error) from error


@cache
def script(name: str) -> Script:
    """Load the script in NAME.lua."""
    text = resources.files("connectors.redis").joinpath(f"{name}.lua").read_text("utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def run_all(client: Client, calls: Sequence[Call]) -> list[Any]:
    """Run the calls and return the replies in order.

    Raises TransientError; then some calls may have run, so they must bear being repeated.
    """
    if not calls:
        return []
    with redis_errors():
        replies = _attempt(client, calls)
        if _is_unknown_script(replies):
            for text in _texts(calls):
                client.script_load(text)
            replies = _attempt(client, calls)
        return _without_errors(replies)


async def run_all_async(client: AsyncClient, calls: Sequence[Call]) -> list[Any]:
    """Do the same as `run_all`, for an event loop."""
    if not calls:
        return []
    with redis_errors():
        replies = await _attempt_async(client, calls)
        if _is_unknown_script(replies):
            for text in _texts(calls):
                await client.script_load(text)
            replies = await _attempt_async(client, calls)
        return _without_errors(replies)


async def run_each_async(client: AsyncClient, calls: Sequence[Call]) -> list[Any]:
    """Run the calls; return for each its reply or its TransientError. Raises TransientError where none has one."""
    with redis_errors():
        replies = await _attempt_async(client, calls)
        if _is_unknown_script(replies):
            for text in _texts(calls):
                await client.script_load(text)
            # Those that ran stay as they are: a share is taken once.
            missing = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            again = await _attempt_async(client, [calls[number] for number in missing])
            for number, reply in zip(missing, again, strict=True):
                replies[number] = reply
    return [_reply_of(reply) for reply in replies]


async def run_async(client: AsyncClient, call: Call) -> Any:
    """Run one call and return its reply, cheaper than `run_all_async`. Raises TransientError."""
    count, arguments = len(call.keys), (*call.keys, *call.arguments)
    with redis_errors():
        try:
            return await client.evalsha(call.script.sha, count, *arguments)
        except NoScriptError:
            return await client.eval(call.script.text, count, *arguments)


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return (name, int(port)) if name and port.isdecimal() else (host, _SENTINEL_PORT)


def _waits(settings: RedisSettings) -> dict[str, Any]:
    return {
        "socket_connect_timeout": settings.connect_timeout_seconds,
        "socket_timeout": settings.socket_timeout_seconds,
    }


def _waiting(url: str, settings: RedisSettings) -> AsyncClient:
    """Open a client whose calls wait for one another where they are more than its connections."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url, timeout=settings.connect_timeout_seconds, **_options(settings)
    )
    return redis.asyncio.Redis.from_pool(pool)


def _options(settings: RedisSettings) -> dict[str, Any]:
    return {
        **_waits(settings),
        "max_connections": settings.max_connections,
        "health_check_interval": 30,
    }


def _attempt(client: Client, calls: Sequence[Call]) -> list[Any]:
    with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.evalsha(call.script.sha, len(call.keys), *call.keys, *call.arguments)
        return list(pipeline.execute(raise_on_error=False))


async def _attempt_async(client: AsyncClient, calls: Sequence[Call]) -> list[Any]:
    async with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.evalsha(call.script.sha, len(call.keys), *call.keys, *call.arguments)
        return list(await pipeline.execute(raise_on_error=False))


def _is_unknown_script(replies: Sequence[Any]) -> bool:
    return any(isinstance(reply, NoScriptError) for reply in replies)


def _texts(calls: Sequence[Call]) -> list[str]:
    return list(dict.fromkeys(call.script.text for call in calls))


def _reply_of(reply: Any) -> Any:
    return _transient(reply) if isinstance(reply, RedisError) else reply


def _transient(error: Exception) -> TransientError:
    return TransientError(f"Redis: {type(error).__name__}: {error}", _RETRY_AFTER_SECONDS)


def _without_errors(replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, RedisError):
            raise reply
    return replies

import asyncio
from typing import Any

import pytest
import redis.exceptions

from connectors.redis.client import open_cache, open_state, redis_errors, sentinel_place
from connectors.redis.settings import RedisSettings
from connectors.redis.translation_memory import AsyncRedisTranslationMemory, RedisTranslationMemory
from schemas.errors import FatalError, TransientError
from schemas.segments import Remembered


@pytest.mark.parametrize("error", [redis.exceptions.ConnectionError("refused"), OSError("no route")])
def test_a_redis_that_is_away_is_a_transient_failure(error):
    with pytest.raises(TransientError), redis_errors():
        raise error


def test_refused_credentials_are_fatal():
    with pytest.raises(FatalError), redis_errors():
        raise redis.exceptions.AuthenticationError("WRONGPASS")


def test_other_errors_pass_through():
    with pytest.raises(KeyError), redis_errors():
        raise KeyError("mine")


def test_opening_a_client_connects_nowhere():
    settings = RedisSettings(cache_url="redis://127.0.0.1:1/0", state_url="redis://127.0.0.1:1/1")
    with open_cache(settings) as cache, open_state(settings) as state:
        assert cache.connection_pool.connection_kwargs["db"] == 0
        assert state.connection_pool.connection_kwargs["db"] == 1


def test_a_sentinel_url_names_sentinels_the_state_and_its_login():
    place = sentinel_place("redis+sentinel://me:p%40ss@a:1,b/state/2")
    assert place
    assert (place.sentinels, place.name, place.database) == ([("a", 1), ("b", 26379)], "state", 2)
    assert place.options == {"username": "me", "password": "p@ss"}
    assert sentinel_place("redis://a:1/0") is None


@pytest.mark.parametrize("url", ["redis+sentinel://a:1", "redis+sentinel:///state", "redis+sentinel://a/state/x"])
def test_a_sentinel_url_that_lacks_something_is_refused_with_its_form(url):
    with pytest.raises(FatalError, match="host:port/NAME/DATABASE"):
        sentinel_place(url)


def test_times_to_live_are_configured_in_days():
    settings = RedisSettings(tm_ttl_days=0.5, done_ttl_days=8)
    assert (settings.tm_ttl_seconds, settings.done_ttl_seconds) == (43_200, 691_200)


class AwayCache:
    """A client whose server is gone."""

    def mget(self, _keys):
        raise redis.exceptions.ConnectionError("refused")

    def pipeline(self, transaction):
        raise redis.exceptions.ConnectionError("refused")


def test_a_memory_that_is_away_knows_nothing_and_forgets_silently():
    cache: Any = AwayCache()
    memory = RedisTranslationMemory(cache, 60)
    assert memory.get_many(["a", "b"]) == [None, None]
    memory.put_many({"a": Remembered("x", 0.5)})


async def _look_up(memory):
    return await memory.get_many(["a", "b", "c"])


def test_a_memory_that_is_away_does_not_stop_an_event_loop():
    cache: Any = AwayCache()
    assert asyncio.run(_look_up(AsyncRedisTranslationMemory(cache))) == [None, None, None]

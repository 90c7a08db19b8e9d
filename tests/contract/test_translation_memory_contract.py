"""One suite for every translation memory, the event loop's included."""

import asyncio
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import InMemoryTranslationMemory
from connectors.redis.client import open_cache, open_cache_async
from connectors.redis.settings import RedisSettings
from connectors.redis.translation_memory import AsyncRedisTranslationMemory, RedisTranslationMemory
from schemas.segments import Remembered, memory_key, normalise


class AsyncReader:
    """Writes with threads as the workers do, reads with an event loop as intake does."""

    def __init__(self, writer, settings):
        self.put_many = writer.put_many
        self._settings = settings

    def get_many(self, keys):
        async def read():
            async with open_cache_async(self._settings) as client:
                return await AsyncRedisTranslationMemory(client).get_many(keys)

        return asyncio.run(read())


@contextmanager
def opened(kind, request):
    if kind == "in_memory":
        yield InMemoryTranslationMemory()
        return
    settings = RedisSettings(cache_url=request.getfixturevalue("redis_cache_url"))
    with open_cache(settings) as client:
        client.flushdb()
        memory = RedisTranslationMemory(client, ttl_seconds=60)
        yield memory if kind == "redis" else AsyncReader(memory, settings)


@pytest.fixture(
    params=[
        "in_memory",
        pytest.param("redis", marks=pytest.mark.real),
        pytest.param("redis_async", marks=pytest.mark.real),
    ]
)
def memory(request):
    with opened(request.param, request) as memory:
        yield memory


def test_what_was_put_is_found_again(memory):
    memory.put_many({"a": Remembered("olá, mundo", 0.5), "b": Remembered("")})
    assert memory.get_many(["a", "b"]) == [Remembered("olá, mundo", 0.5), Remembered("", None)]


def test_answers_come_in_the_order_of_the_keys_and_none_for_the_unknown(memory):
    memory.put_many({"a": Remembered("1", 1.0), "b": Remembered("2", 0.0)})
    found = memory.get_many(["b", "nobody", "a", "b"])
    assert [hit and hit.text for hit in found] == ["2", None, "1", "2"]


def test_the_latest_translation_wins(memory):
    memory.put_many({"a": Remembered("old")})
    memory.put_many({"a": Remembered("new")})
    assert memory.get_many(["a"]) == [Remembered("new")]


def test_nothing_asked_is_nothing_answered(memory):
    memory.put_many({})
    assert memory.get_many([]) == []


@pytest.mark.real
def test_a_remembered_translation_expires(redis_cache_url):
    with open_cache(RedisSettings(cache_url=redis_cache_url)) as client:
        RedisTranslationMemory(client, ttl_seconds=77).put_many({"a": Remembered("x")})
        assert 0 < client.ttl("tm:a") <= 77


def test_the_key_depends_on_all_that_decides_a_translation():
    base = ("model-1", "en", "pt", "terms-1", "Hello.")
    others = [
        ("model-2", *base[1:]),
        ("model-1", "de", *base[2:]),
        ("model-1", "en", "es", *base[3:]),
        (*base[:3], None, "Hello."),
        (*base[:4], "Hello!"),
    ]
    assert len({memory_key(*parts) for parts in (base, *others)}) == 6


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)


def test_segments_that_differ_in_white_space_and_composition_are_the_same():
    assert normalise("  Olá\u0301,\n mundo ") == normalise("Ol\u00e1\u0301, mundo")

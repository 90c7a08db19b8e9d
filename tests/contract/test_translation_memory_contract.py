"""One suite for every translation memory, the event loop's included."""

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import InMemoryTranslationMemory
from connectors.redis.client import open_cache, open_cache_async
from connectors.redis.settings import RedisSettings
from connectors.redis.translation_memory import AsyncRedisTranslationMemory, RedisTranslationMemory
from schemas.messages import Job
from schemas.segments import Remembered, TranslationContext, context_of, memory_scope, normalise


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


def test_a_doubtful_translation_is_known_with_its_warning(memory):
    memory.put_many({"a": Remembered("olá", 0.5, "numbers_differ"), "b": Remembered("", None, "x")})
    assert memory.get_many(["a", "b"]) == [Remembered("olá", 0.5, "numbers_differ"), Remembered("", None, "x")]


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
        assert 0 < client.ttl("tm2:a") <= 77


CONTEXT = TranslationContext("tenant:acme", "en", "pt")


def test_the_key_depends_on_all_that_decides_a_translation_and_on_who_may_share_it():
    others: list[dict[str, Any]] = [
        {"scope": "tenant:globex"},
        {"scope": "group:acme"},
        {"source": "de"},
        {"target": "es"},
        {"target": "pt-BR"},
        {"glossaries": ("terms-1",)},
        {"glossaries": ("terms-1", "terms-2")},
        {"glossaries": ("terms-2", "terms-1")},
        {"do_not_translate": ("terms-1",)},
        {"engine_options": (("formality", "less"),)},
        {"engine_options": (("formality", "more"),)},
        {"engine_options": (("formality", "less"), ("beam", "4"))},
    ]
    contexts = [CONTEXT, *(replace(CONTEXT, **other) for other in others)]
    keys = [CONTEXT.memory_keys("model-2", ["Hello."]), CONTEXT.memory_keys("model-1", ["Hello!"])]
    keys += [context.memory_keys("model-1", ["Hello."]) for context in contexts]
    assert len({key for (key,) in keys}) == len(others) + 3


def test_keys_come_in_the_order_of_the_segments_and_one_segment_has_one_key():
    one, two, again = CONTEXT.memory_keys("model-1", ["a", "b", "a"])
    assert one == again != two
    assert CONTEXT.memory_keys("model-1", ["b"]) == [two]


def test_the_order_in_which_options_were_written_changes_no_key():
    there, back = {"beam": "4", "formality": "less"}, {"formality": "less", "beam": "4"}
    assert context_of("acme", Job(), (), there) == context_of("acme", Job(), (), back)


def test_a_group_shares_a_memory_and_a_tenant_named_like_it_does_not():
    assert memory_scope("acme", "plants") == memory_scope("globex", "plants")
    assert len({memory_scope("plants", ""), memory_scope("acme", ""), memory_scope("acme", "plants")}) == 3


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)


def test_segments_that_differ_in_white_space_and_composition_are_the_same():
    assert normalise("  Olá\u0301,\n mundo ") == normalise("Ol\u00e1\u0301, mundo")

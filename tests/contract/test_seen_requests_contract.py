"""One suite for every place that remembers requests, and the registry on a real server."""

import asyncio

import pytest

from connectors.memory import InMemorySeenRequests
from connectors.redis.client import open_state, open_state_async
from connectors.redis.presence import AsyncModelRegistry, ModelRegistry
from connectors.redis.request_markers import RedisSeenRequests
from connectors.redis.settings import RedisSettings


@pytest.fixture(params=["in_memory", pytest.param("redis", marks=pytest.mark.real)])
def run(request):
    """Runs a coroutine function with an empty SeenRequests."""
    if request.param == "in_memory":
        return lambda work: asyncio.run(work(InMemorySeenRequests()))
    settings = RedisSettings(state_url=request.getfixturevalue("redis_state_url"))
    with open_state(settings) as state:
        state.delete("seen:r1", "seen:r2")

    async def with_redis(work):
        async with open_state_async(settings) as client:
            return await work(RedisSeenRequests(client))

    return lambda work: asyncio.run(with_redis(work))


def test_an_unknown_request_was_not_seen(run):
    assert run(lambda seen: seen.look_up("r1")) is None


def test_marked_requests_are_found_with_their_fingerprints(run):
    async def work(seen):
        await seen.mark({"r1": "aa", "r2": "bb"}, 60)
        return await seen.look_up("r1"), await seen.look_up("r2")

    assert run(work) == ("aa", "bb")


def test_a_forgotten_request_is_new_again(run):
    async def work(seen):
        await seen.mark({"r1": "aa", "r2": "bb"}, 60)
        await seen.forget(["r1"])
        await seen.forget([])
        return await seen.look_up("r1"), await seen.look_up("r2")

    assert run(work) == (None, "bb")


def test_the_first_payload_of_an_id_stays(run):
    async def work(seen):
        await seen.mark({"r1": "first"}, 60)
        await seen.mark({"r1": "second"}, 60)
        return await seen.look_up("r1")

    assert run(work) == "first"


@pytest.mark.real
def test_markers_expire(redis_state_url):
    settings = RedisSettings(state_url=redis_state_url)

    async def mark():
        async with open_state_async(settings) as client:
            await RedisSeenRequests(client).mark({"expiring": "aa"}, 77)

    with open_state(settings) as state:
        state.delete("seen:expiring")
        asyncio.run(mark())
        assert 0 < state.ttl("seen:expiring") <= 77


@pytest.mark.real
def test_models_published_by_a_thread_are_read_by_an_event_loop(redis_state_url):
    settings = RedisSettings(state_url=redis_state_url)

    async def read():
        async with open_state_async(settings) as client:
            return await AsyncModelRegistry(client).read("contract-pool")

    with open_state(settings) as state:
        state.delete("models:contract-pool")
        ModelRegistry(state).publish("contract-pool", {"en-pt": "mozilla:1.0"}, 30)
        assert ModelRegistry(state).read("contract-pool") == {"en-pt": "mozilla:1.0"}
        assert asyncio.run(read()) == {"en-pt": "mozilla:1.0"}
        state.delete("models:contract-pool")

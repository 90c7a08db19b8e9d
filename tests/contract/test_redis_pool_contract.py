"""More calls than connections: in an event loop they wait for one another, whatever opens the client."""

import asyncio

import pytest

from connectors.redis.client import open_cache_async, open_state_async
from connectors.redis.settings import RedisSettings
from tests.valkey import running_valkey

CONNECTIONS, CALLS = 3, 200


@pytest.fixture(scope="module")
def settings():
    with running_valkey() as url:
        yield RedisSettings(state_url=url, cache_url=url, max_connections=CONNECTIONS)


@pytest.mark.parametrize("opened", [open_state_async, open_cache_async])
def test_a_burst_of_calls_waits_for_free_connections(settings, opened):
    async def burst():
        client = opened(settings)
        answers = await asyncio.gather(*(client.incr(opened.__name__) for _ in range(CALLS)))
        clients = await client.info("clients")
        await client.aclose()
        return sorted(answers), clients["connected_clients"]

    answers, connected = asyncio.run(burst())
    assert answers == list(range(1, CALLS + 1))
    assert connected <= CONNECTIONS

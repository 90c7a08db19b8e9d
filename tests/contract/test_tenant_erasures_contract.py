"""How far the erasure of a tenant is: noted and read in memory and on Valkey."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
import redis.asyncio

from connectors.memory import InMemoryTenantErasures
from connectors.redis.tenant_erasures import AsyncRedisTenantErasures
from schemas.tenant_erasures import ErasureStage, TenantErasure
from tests.valkey import running_valkey

BEGUN = TenantErasure(tenant="acme", asked_by="http:ab12", asked_at=5, told_at=7)
ORDERED = replace(BEGUN, stage=ErasureStage.ORDERED, requests=3, ordered=3)


class OnValkey:
    """Each call on a connection of its own: loops come and go."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def note(self, erasure: TenantErasure) -> None:
        async with redis.asyncio.Redis.from_url(self.url) as client:
            await AsyncRedisTenantErasures(client).note(erasure)

    async def read(self, tenant: str) -> TenantErasure | None:
        async with redis.asyncio.Redis.from_url(self.url) as client:
            return await AsyncRedisTenantErasures(client).read(tenant)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@pytest.fixture(params=["memory", "valkey"])
def erasures(request, server):
    if request.param == "memory":
        return InMemoryTenantErasures()
    with redis.Redis.from_url(server) as client:
        client.flushall()
    return OnValkey(server)


def test_what_is_noted_last_of_a_tenant_is_read(erasures):
    asyncio.run(erasures.note(BEGUN))
    assert asyncio.run(erasures.read("acme")) == BEGUN
    asyncio.run(erasures.note(ORDERED))
    assert asyncio.run(erasures.read("acme")) == ORDERED
    assert asyncio.run(erasures.read("globex")) is None


def test_on_valkey_it_is_known_for_30_days_after_the_last_word(server):
    asyncio.run(OnValkey(server).note(BEGUN))
    with redis.Redis.from_url(server) as client:
        assert 30 * 86_400 - 60 < client.ttl("tenant_erasure:{acme}") <= 30 * 86_400


@pytest.mark.parametrize("stage", ErasureStage)
def test_work_of_which_nobody_tells_any_more_was_interrupted(stage):
    told = replace(BEGUN, stage=stage)
    assert told.seen_at(60_007) == told
    ended = stage in (ErasureStage.ORDERED, ErasureStage.FAILED)
    assert told.seen_at(60_008).stage == (stage if ended else ErasureStage.INTERRUPTED)

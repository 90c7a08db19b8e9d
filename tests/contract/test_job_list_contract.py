"""The list of a tenant's jobs on a real Valkey: in when HTTP accepts, bounded, with the views of the moment."""

import asyncio

import pytest
import redis
import redis.asyncio

from connectors.redis.job_list import AsyncJobList, Listed
from connectors.redis.request_markers import AcceptedRequests
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.ids import JobKey
from schemas.plans import RequestPlan
from schemas.slots import Completion
from schemas.states import ResultStatus
from tests.keys import key, revision
from tests.valkey import running_valkey

NOW_MS = 1_700_000_000_000
TTL_SECONDS = 100


@pytest.fixture(scope="module")
def server():
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        yield url, client


@pytest.fixture
def valkey(server):
    server[1].flushall()
    return server[0]


def accept(url: str, *names: str, at_ms: int = NOW_MS, tenant: str = "default", most: int = 1000) -> None:
    async def note() -> None:
        async with redis.asyncio.Redis.from_url(url) as connection:
            for name in names:
                plan = RequestPlan(priority="high", source_language="en", target_language="pt", submitted_at=at_ms)
                await AcceptedRequests(connection, TTL_SECONDS, most).note({key(name, tenant): plan})

    asyncio.run(note())


def page(url: str, since_ms: int = 0, before: str = "~", most: int = 100, tenant: str = "default") -> list[Listed]:
    async def read() -> list[Listed]:
        async with redis.asyncio.Redis.from_url(url) as connection:
            return await AsyncJobList(connection).page(tenant, since_ms, before, most)

    return asyncio.run(read())


def names(found: list[Listed]) -> list[JobKey | None]:
    return [one.view.key if one.view else None for one in found]


def test_what_is_accepted_is_listed_the_newest_first_from_a_place_on(valkey):
    for n in range(4):
        accept(valkey, f"r{n}", at_ms=NOW_MS + n)
    accept(valkey, "theirs", tenant="acme")
    found = page(valkey, most=2)
    assert names(found) == [key("r3"), key("r2")]
    assert names(page(valkey, before=found[-1].place)) == [key("r1"), key("r0")]
    assert names(page(valkey, since_ms=NOW_MS + 2)) == [key("r3"), key("r2")]
    assert names(page(valkey, tenant="acme")) == [key("theirs", "acme")]
    assert page(valkey, tenant="nobody") == []


def test_ids_with_slashes_of_one_millisecond_are_kept_apart(valkey):
    accept(valkey, "a/b", "a", "b~")
    assert names(page(valkey)) == [key("b~"), key("a/b"), key("a")]


def test_a_repeat_is_listed_once_where_it_came_first(valkey):
    accept(valkey, "r1")
    accept(valkey, "r1", at_ms=NOW_MS + 500)
    (found,) = page(valkey)
    assert found.place == f"{NOW_MS}/r1".zfill(17)


def test_the_list_is_bounded_in_number_and_age(valkey):
    for n in range(5):
        accept(valkey, f"r{n}", at_ms=NOW_MS + n, most=3)
    assert names(page(valkey)) == [key("r4"), key("r3"), key("r2")]
    accept(valkey, "late", at_ms=NOW_MS + TTL_SECONDS * 1000 + 4)
    assert names(page(valkey)) == [key("late"), key("r4")]


def test_a_job_shows_its_end(valkey):
    accept(valkey, "r1")
    with redis.Redis.from_url(valkey) as client:
        done = Completion("t-0-1", "PARTIAL", NOW_MS + 9)
        RedisSlots(client, SlotRetention(60, 60)).finish({revision("r1"): done})
    (found,) = page(valkey)
    assert found.view
    assert (found.view.status, found.view.updated_at, found.view.priority) == (
        ResultStatus.PARTIAL,
        NOW_MS + 9,
        "high",
    )

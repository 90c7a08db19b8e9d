"""One suite for every place that remembers plans of requests, and the registry on a real server."""

import asyncio

import pytest

from connectors.memory import InMemoryRequestPlans
from connectors.redis.client import open_state, open_state_async
from connectors.redis.presence import AsyncModelRegistry, ModelRegistry
from connectors.redis.request_markers import RedisRequestPlans
from connectors.redis.settings import RedisSettings
from schemas.catalogue import Catalogue, LanguageSet
from schemas.plans import RequestPlan
from schemas.records import StoredAt
from tests.keys import key

EN_PT = [LanguageSet(frozenset({"en"}), frozenset({"pt"}), "mozilla:1.0")]
R1, R2, THEIRS = key("r1"), key("r2"), key("r1", "globex")
ONE = RequestPlan(fingerprint="aa", words=7, deadline=5, last_batch=StoredAt(3, 70))
OTHER = RequestPlan(fingerprint="bb")


PLACES = ["in_memory", pytest.param("redis", marks=pytest.mark.real)]


@pytest.fixture(params=PLACES)
def run(request):
    """Runs a coroutine function with an empty store of plans."""
    return _runner(request, replaces=False)


@pytest.fixture(params=PLACES)
def run_replacing(request):
    """Runs a coroutine function with an empty store whose newer plans replace older ones."""
    return _runner(request, replaces=True)


def _runner(request, *, replaces):
    if request.param == "in_memory":
        return lambda work: asyncio.run(work(InMemoryRequestPlans(replaces=replaces)))
    settings = RedisSettings(state_url=request.getfixturevalue("redis_state_url"))
    with open_state(settings) as state:
        state.delete(*(f"req:{{{one}}}" for one in (R1, R2, THEIRS)), "deadlines")

    async def with_redis(work):
        async with open_state_async(settings) as client:
            return await work(RedisRequestPlans(client, 60, replaces=replaces))

    return lambda work: asyncio.run(with_redis(work))


def test_an_unknown_request_has_no_plan(run):
    assert run(lambda plans: plans.look_up([R1])) == [None]
    assert run(lambda plans: plans.look_up([])) == []


def test_noted_plans_are_found_in_the_order_of_the_keys(run):
    async def work(plans):
        await plans.note({})
        await plans.note({R1: ONE, R2: OTHER})
        return await plans.look_up([R2, THEIRS, R1])

    assert run(work) == [OTHER, None, ONE]


def test_a_forgotten_request_is_new_again(run):
    async def work(plans):
        await plans.note({R1: ONE, R2: OTHER})
        await plans.forget([R1])
        await plans.forget([])
        return await plans.look_up([R1, R2])

    assert run(work) == [None, OTHER]


def test_the_first_plan_of_a_request_stays(run):
    async def work(plans):
        await plans.note({R1: ONE})
        await plans.note({R1: OTHER})
        return await plans.look_up([R1])

    assert run(work) == [ONE]


def test_what_extraction_knows_replaces_what_intake_knew(run_replacing):
    async def work(plans):
        await plans.note({R1: ONE})
        await plans.note({R1: OTHER})
        return await plans.look_up([R1])

    assert run_replacing(work) == [OTHER]


def test_two_tenants_under_one_id_have_plans_of_their_own(run):
    async def work(plans):
        await plans.note({R1: ONE, THEIRS: OTHER})
        await plans.forget([THEIRS])
        return await plans.look_up([R1, THEIRS])

    assert run(work) == [ONE, None]


@pytest.mark.real
def test_plans_expire(redis_state_url):
    settings = RedisSettings(state_url=redis_state_url)

    async def note():
        async with open_state_async(settings) as client:
            await RedisRequestPlans(client, 77).note({key("expiring"): ONE})

    with open_state(settings) as state:
        state.delete("req:{default/expiring}")
        asyncio.run(note())
        assert 0 < state.ttl("req:{default/expiring}") <= 77


@pytest.mark.real
def test_models_published_by_a_thread_are_read_by_an_event_loop(redis_state_url):
    settings = RedisSettings(state_url=redis_state_url)

    async def read():
        async with open_state_async(settings) as client:
            return await AsyncModelRegistry(client).read("contract-pool")

    with open_state(settings) as state:
        state.delete("models:contract-pool")
        ModelRegistry(state).publish("contract-pool", EN_PT, 30)
        assert ModelRegistry(state).read("contract-pool") == Catalogue(EN_PT)
        assert asyncio.run(read()) == Catalogue(EN_PT)
        state.delete("models:contract-pool")

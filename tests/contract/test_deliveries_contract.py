"""Webhooks on their way: the same in memory and on Valkey."""

import asyncio
from collections.abc import Iterator

import pytest
import redis
import redis.asyncio

from connectors.memory import InMemoryDeliveries
from connectors.redis.deliveries import AsyncRedisDeliveries, RedisDeliveries
from connectors.redis.state_epoch import EPOCH_KEY
from schemas.deliveries import Attempt, DeliveryState
from tests.valkey import running_valkey
from tests.webhooks import NOW_MS, delivery

KEEP_SECONDS = 1000
LEASE = NOW_MS + 50_000


class OnValkey:
    """Asynchronous calls on a connection of their own: loops come and go."""

    def __init__(self, url: str) -> None:
        self.url = url
        noting = RedisDeliveries(redis.Redis.from_url(url), KEEP_SECONDS)
        self.enqueue, self.is_complete, self.set_complete = noting.enqueue, noting.is_complete, noting.set_complete

    def __getattr__(self, name):
        async def call(*arguments):
            async with redis.asyncio.Redis.from_url(self.url) as client:
                return await getattr(AsyncRedisDeliveries(client, KEEP_SECONDS), name)(*arguments)

        return call


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@pytest.fixture(params=["memory", "valkey"])
def deliveries(request, server):
    if request.param == "memory":
        return InMemoryDeliveries()
    with redis.Redis.from_url(server) as client:
        client.flushall()
    return OnValkey(server)


def claimed(deliveries, now_ms=NOW_MS, *, most=100, of_host=10, rooms=None):
    found = asyncio.run(deliveries.claim(now_ms, LEASE, most, of_host, rooms or {}))
    return [one.key.job.request_id for one in found]


def test_what_is_due_is_claimed_once_until_its_lease_ends(deliveries):
    one = delivery("a")
    assert deliveries.enqueue([one, delivery("b", due_at=NOW_MS + 1)]) == 2
    assert asyncio.run(deliveries.claim(NOW_MS, LEASE, 10, 10, {})) == [one]
    assert claimed(deliveries) == []
    assert sorted(claimed(deliveries, LEASE)) == ["a", "b"]


def test_a_repeat_is_no_new_delivery_not_even_when_it_was_delivered(deliveries):
    one = delivery("a")
    deliveries.enqueue([one])
    asyncio.run(deliveries.settle(one.attempted(Attempt(NOW_MS, 200, 0.1), DeliveryState.DELIVERED, 0)))
    assert deliveries.enqueue([one]) == 0
    assert claimed(deliveries, LEASE + 1) == []


def test_what_failed_is_due_again_when_it_says(deliveries):
    one = delivery("a")
    deliveries.enqueue([one])
    claimed(deliveries)
    later = one.attempted(Attempt(NOW_MS, 500, 0.1, ""), DeliveryState.PENDING, NOW_MS + 5000)
    asyncio.run(deliveries.settle(later))
    assert claimed(deliveries, NOW_MS + 4999) == []
    assert claimed(deliveries, NOW_MS + 5000) == ["a"]
    assert asyncio.run(deliveries.of_job(one.key.job)) == [later]


def test_a_host_gets_no_more_than_its_room_and_holds_up_no_other(deliveries):
    slow = [delivery(f"s{number}", "https://slow.example/", due_at=NOW_MS - 100 + number) for number in range(20)]
    deliveries.enqueue([*slow, delivery("f", "https://fast.example/")])
    assert claimed(deliveries, of_host=3) == ["s0", "s1", "s2", "f"]
    deliveries.enqueue([delivery("f2", "https://fast.example/")])
    assert claimed(deliveries, of_host=3, rooms={"slow.example": 0}) == ["f2"]
    assert claimed(deliveries, of_host=3, rooms={"slow.example": 1}) == ["s3"]


def test_no_more_are_claimed_than_there_is_room_for(deliveries):
    deliveries.enqueue([delivery(f"{number}", f"https://h{number}.example/") for number in range(5)])
    assert len(claimed(deliveries, most=2)) == 2
    assert len(claimed(deliveries)) == 3


def test_each_version_of_a_result_is_a_delivery_of_its_job(deliveries):
    first, second = delivery("a", version=1), delivery("a", version=2)
    deliveries.enqueue([second, first])
    assert asyncio.run(deliveries.of_job(first.key.job)) == [first, second]
    assert asyncio.run(deliveries.of_job(delivery("nobodys").key.job)) == []


def test_a_delivery_made_again_is_due_at_once_with_the_same_id(deliveries):
    one = delivery("a")
    deliveries.enqueue([one])
    asyncio.run(deliveries.settle(one.attempted(Attempt(NOW_MS, 410, 0.1), DeliveryState.GIVEN_UP, 0)))
    again = one.again(NOW_MS + 9)
    asyncio.run(deliveries.settle(again))
    assert again.key.webhook_id == one.key.webhook_id
    assert claimed(deliveries, NOW_MS + 9) == ["a"]


def test_a_request_id_may_look_like_a_key(deliveries):
    deliveries.enqueue([delivery("1/acme/x:{y}")])
    assert claimed(deliveries) == ["1/acme/x:{y}"]


def test_a_state_is_complete_when_it_was_said(deliveries):
    assert not deliveries.is_complete()
    deliveries.set_complete()
    assert deliveries.is_complete()


def test_on_valkey_a_state_with_another_epoch_is_not_complete_any_more(server):
    with redis.Redis.from_url(server) as client:
        client.flushall()
        deliveries = RedisDeliveries(client, KEEP_SECONDS)
        for epoch in ("a:1", "a:2"):
            client.set(EPOCH_KEY, epoch)
            assert not deliveries.is_complete()
            client.set(EPOCH_KEY, f"{epoch}, settled while results are read")
            deliveries.set_complete()
            assert not deliveries.is_complete()
            deliveries.set_complete()
            assert deliveries.is_complete()


def test_on_valkey_a_delivery_is_forgotten_with_its_job(server):
    with redis.Redis.from_url(server) as client:
        client.flushall()
        RedisDeliveries(client, KEEP_SECONDS).enqueue([delivery("a")])
        assert KEEP_SECONDS - 10 < client.ttl("hooks:acme/a") <= KEEP_SECONDS
        client.delete("hooks:acme/a")
    assert claimed(OnValkey(server)) == []

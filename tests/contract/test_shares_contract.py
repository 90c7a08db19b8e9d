"""The shares of tenants, in memory and on Valkey: what a request takes, when it is refused, what comes back."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
import redis.asyncio

from connectors.memory import InMemoryShares
from connectors.redis.shares import RedisShares
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.errors import TransientError
from schemas.shares import Bound, Limits, Taken, Wish
from schemas.slots import Completion
from tests.keys import key, revision
from tests.valkey import running_valkey


class InMemory:
    """Time stands still."""

    def __init__(self) -> None:
        self.shares = InMemoryShares()

    def take(self, wish: Wish) -> Taken:
        return asyncio.run(self.shares.take(wish, now_ms=0))

    def give_back(self, wish: Wish) -> None:
        asyncio.run(self.shares.give_back(wish, taken_at_ms=0))

    def answer(self, name: str) -> None:
        self.shares.answered(key(name))


class OnValkey:
    """Each call on a connection of its own: loops come and go."""

    def __init__(self, url: str, forget_seconds: int = 60) -> None:
        self.url = url
        self.forget_seconds = forget_seconds

    def take(self, wish: Wish) -> Taken:
        return self._do("take", wish)

    def give_back(self, wish: Wish) -> None:
        self._do("give_back", wish)

    def answer(self, name: str) -> None:
        with redis.Redis.from_url(self.url) as client:
            done = Completion("t-0-1", "COMPLETED", 2)
            RedisSlots(client, SlotRetention(60, 60)).finish({revision(name): done})

    def _do(self, name: str, wish: Wish) -> Any:
        async def go() -> Any:
            async with redis.asyncio.Redis.from_url(self.url) as connection:
                return await getattr(RedisShares(connection, self.forget_seconds), name)(wish, 0)

        return asyncio.run(go())


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@contextmanager
def emptied(url: str) -> Iterator[str]:
    with redis.Redis.from_url(url) as client:
        client.flushall()
    yield url


@pytest.fixture(params=["memory", "valkey"])
def shares(request, server):
    if request.param == "memory":
        return InMemory()
    with emptied(server) as url:
        return OnValkey(url)


def wish(name: str = "r1", tenant: str = "default", characters: int = 10, **limits: Any) -> Wish:
    return Wish(key(name, tenant), characters, Limits(**limits))


# Three a minute: a busy machine has 20 s for each of them.
def test_a_minutes_requests_may_come_at_once_and_the_next_waits_for_its_turn(shares):
    taken = [shares.take(wish(f"r{n}", requests_per_minute=3)) for n in range(4)]
    assert [one.rate.remaining for one in taken[:3]] == [2, 1, 0]
    assert {one.refused_by for one in taken[:3]} == {None}
    assert taken[3].refused_by is Bound.RATE
    assert 0 < taken[3].rate.retry_after_ms <= 20_000
    assert 40_000 < taken[3].rate.reset_ms <= 60_000


def test_tenants_have_shares_of_their_own(shares):
    for _ in range(3):
        shares.take(wish("a", requests_per_minute=3))
    assert shares.take(wish("b", requests_per_minute=3)).refused_by is Bound.RATE
    assert shares.take(wish("a", tenant="acme", requests_per_minute=3)).rate.remaining == 2


def test_characters_of_a_day_are_refused_as_a_whole_text_and_a_refusal_takes_nothing(shares):
    limits: dict[str, Any] = {"characters_per_day": 25, "requests_per_minute": 3}
    assert shares.take(wish("r1", **limits)).refused_by is None
    assert shares.take(wish("r2", characters=16, **limits)).refused_by is Bound.DAY
    last = shares.take(wish("r3", characters=15, **limits))
    assert (last.refused_by, last.rate.remaining) == (None, 1)


def test_a_repeat_takes_a_call_and_nothing_else(shares):
    limits: dict[str, Any] = {"characters_per_day": 15, "requests_in_flight": 1, "requests_per_minute": 3}
    taken = [shares.take(wish("r1", **limits)) for _ in range(2)]
    assert [(one.refused_by, one.rate.remaining, one.at_ms) for one in taken] == [(None, 2, 0), (None, 1, None)]


def test_what_is_in_flight_comes_back_with_the_answer(shares):
    limits: dict[str, Any] = {"requests_in_flight": 2}
    for name in ("r1", "r2"):
        assert shares.take(wish(name, **limits)).refused_by is None
    assert shares.take(wish("r3", **limits)).refused_by is Bound.REQUESTS_IN_FLIGHT
    shares.answer("r1")
    assert shares.take(wish("r3", **limits)).refused_by is None
    assert shares.take(wish("r4", **limits)).refused_by is Bound.REQUESTS_IN_FLIGHT


def test_characters_in_flight_are_bounded_together_and_a_large_text_has_its_turn_alone(shares):
    limits: dict[str, Any] = {"characters_in_flight": 1_000_000}
    large = wish("large", characters=1_000_001, **limits)
    assert shares.take(wish("r1", characters=999_999, **limits)).refused_by is None
    assert shares.take(wish("r2", characters=2, **limits)).refused_by is Bound.CHARACTERS_IN_FLIGHT
    assert shares.take(wish("r3", characters=1, **limits)).refused_by is None
    assert shares.take(large).refused_by is Bound.CHARACTERS_IN_FLIGHT
    shares.answer("r1")
    shares.answer("r3")
    assert shares.take(large).refused_by is None


def test_what_was_not_sent_is_given_back_but_for_its_call(shares):
    limits: dict[str, Any] = {"characters_per_day": 10, "requests_in_flight": 1, "requests_per_minute": 3}
    shares.take(wish("r1", **limits))
    shares.give_back(wish("r1", **limits))
    again = shares.take(wish("r2", **limits))
    assert (again.refused_by, again.rate.remaining) == (None, 1)


def test_a_request_that_is_never_answered_is_forgotten(server):
    limits: dict[str, Any] = {"requests_in_flight": 1, "characters_in_flight": 10}
    with emptied(server) as url:
        assert OnValkey(url).take(wish("lost", **limits)).refused_by is None
        assert OnValkey(url).take(wish("r1", **limits)).refused_by is Bound.REQUESTS_IN_FLIGHT
        # Nothing is younger than this.
        assert OnValkey(url, forget_seconds=-5).take(wish("r1", **limits)).refused_by is None
        with redis.Redis.from_url(url) as client:
            assert client.zrange("flight:{default}", 0, -1) == [b"default/r1"]
            assert client.get("flying:{default}") == b"10"


def test_a_request_of_an_answered_id_is_a_repeat(server):
    with emptied(server) as url:
        valkey = OnValkey(url)
        valkey.answer("r1")
        assert valkey.take(wish("r1", requests_in_flight=1)).refused_by is None
        assert valkey.take(wish("r2", requests_in_flight=1)).refused_by is None


def test_a_redis_that_is_away_is_a_transient_failure():
    with pytest.raises(TransientError):
        OnValkey("redis://127.0.0.1:1/0").take(wish("r1", requests_per_minute=1))

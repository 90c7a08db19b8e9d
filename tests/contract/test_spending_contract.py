"""What tenants have spent: written and read in memory and on Valkey, and shown."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest
import redis
import redis.asyncio
from typer.testing import CliRunner

from connectors.memory import InMemorySpending
from connectors.redis.spending import AsyncRedisSpending, RedisSpending
from producers.cli.main import app
from schemas.budgets import Spending
from tests.valkey import running_valkey

SPENT = {
    "acme": Spending("2026-11", Decimal("10.000001"), Decimal("99.5"), stops=True),
    "globex": Spending("2026-11", Decimal(0), Decimal(7)),
}


class OnValkey:
    """Each call on a connection of its own: loops come and go."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, spending: dict[str, Spending]) -> None:
        with redis.Redis.from_url(self.url) as client:
            RedisSpending(client).write(spending)
            assert RedisSpending(client).read() == spending

    async def read(self) -> dict[str, Spending]:
        async with redis.asyncio.Redis.from_url(self.url) as client:
            return await AsyncRedisSpending(client).read()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@pytest.fixture(params=["memory", "valkey"])
def spending(request, server):
    if request.param == "memory":
        return InMemorySpending()
    with redis.Redis.from_url(server) as client:
        client.flushall()
    return OnValkey(server)


def test_nothing_is_spent_before_the_first_measurement(spending):
    assert asyncio.run(spending.read()) == {}


def test_what_is_written_is_read_to_the_millionth(spending):
    spending.write(SPENT)
    assert asyncio.run(spending.read()) == SPENT


def test_a_measurement_replaces_the_one_before(spending):
    spending.write(SPENT)
    spending.write({"acme": SPENT["acme"]})
    assert asyncio.run(spending.read()).keys() == {"acme"}
    spending.write({})
    assert asyncio.run(spending.read()) == {}


def test_on_valkey_a_measurement_is_forgotten_after_an_hour(server):
    with redis.Redis.from_url(server) as client:
        RedisSpending(client).write(SPENT)
        assert 3500 < client.ttl("spending") <= 3600


def test_the_command_shows_who_is_nearest_to_the_end_first(server, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_REDIS_STATE_URL", server)
    used_up = Spending("2026-11", Decimal(3), Decimal(2), stops=True)
    with redis.Redis.from_url(server) as client:
        RedisSpending(client).write({**SPENT, "initech": used_up})
    header, *rows = CliRunner().invoke(app, ["cost", "budgets"]).stdout.splitlines()
    assert header.split() == ["tenant", "month", "spent", "budget", "share", "state"]
    assert [row.split(maxsplit=5) for row in rows] == [
        ["initech", "2026-11", "3.00", "2.00", "150.0%", "used up, refused"],
        ["acme", "2026-11", "10.00", "99.50", "10.1%"],
        ["globex", "2026-11", "0.00", "7.00", "0.0%"],
    ]

"""What tenants have spent: written and read in memory and on Valkey; measured on real books."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest
import redis
import redis.asyncio

from connectors.memory import InMemorySpending
from connectors.redis.spending import AsyncRedisSpending, RedisSpending
from schemas.budgets import Spending, month_of
from stream_apps.accounts.budgets import Budget, BudgetSettings
from stream_apps.usage_sink.spending import BudgetMeter
from tests.books import AT, open_books
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


def test_a_budget_is_measured_by_the_prices_of_the_bill(tmp_path):
    written = InMemorySpending()
    monthly = {"acme": Budget(dollars=10, stops=True), "globex": Budget(dollars=20), "new": Budget(dollars=1)}
    with open_books(tmp_path / "books") as books:
        meter = BudgetMeter(BudgetSettings(monthly=monthly), books.database, written, lambda: AT)
        found = meter.measure()
        billed = dict(books.rows("SELECT tenant, sum(price) FROM billed GROUP BY tenant"))
    assert {tenant: one.spent for tenant, one in found.items()} == {**billed, "new": 0}
    assert found["acme"].stops_at(AT)
    assert found["globex"].share == Decimal("0.5")
    assert {one.month for one in found.values()} == {month_of(AT)}

"""Budgets of a month: when a tenant is refused, by what it is known, and when a warning is given."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from connectors.memory import InMemorySpending
from connectors.telemetry import metrics
from schemas.budgets import Spending, month_of
from schemas.errors import TransientError
from stream_apps.accounts.budgets import Budget, BudgetSettings, BudgetUsedUpError, MeasuredBudgets
from stream_apps.usage_sink.spending import BudgetMeter

NOVEMBER = 1_795_000_000_000
DECEMBER = NOVEMBER + 16 * 86_400_000


def spending(spent: str, *, stops: bool = True, month: str = "2026-11") -> Spending:
    return Spending(month, Decimal(spent), Decimal("100"), stops)


class Watched:
    """A source that counts how often it is asked, and may be away."""

    def __init__(self, **known: Spending) -> None:
        self.known: Mapping[str, Spending] = known
        self.asked = 0
        self.is_away = False

    async def read(self) -> Mapping[str, Spending]:
        self.asked += 1
        if self.is_away:
            raise TransientError("Redis is away")
        return self.known


class Clock:
    def __init__(self) -> None:
        self.ms = NOVEMBER

    def __call__(self) -> int:
        return self.ms


def is_refused(budgets: MeasuredBudgets, tenant: str = "acme") -> bool:
    try:
        asyncio.run(budgets.check(tenant))
    except BudgetUsedUpError:
        return True
    return False


def test_months_are_those_of_utc():
    assert (month_of(NOVEMBER), month_of(DECEMBER)) == ("2026-11", "2026-12")


@pytest.mark.parametrize(
    ("known", "refused"),
    [
        (spending("99.999999"), False),
        (spending("100"), True),
        (spending("250"), True),
        (spending("250", stops=False), False),
        (spending("250", month="2026-10"), False),
    ],
)
def test_only_a_budget_of_this_month_that_is_used_up_and_stops_refuses(known, refused):
    budgets = MeasuredBudgets(Watched(acme=known), 5.0, Clock())
    assert is_refused(budgets) is refused
    assert not is_refused(budgets, "globex")


def test_the_next_month_begins_without_a_new_measurement():
    clock = Clock()
    budgets = MeasuredBudgets(Watched(acme=spending("100")), 5.0, clock)
    assert is_refused(budgets)
    clock.ms = DECEMBER
    assert not is_refused(budgets)


def test_what_is_known_is_asked_for_again_after_some_seconds_only():
    clock, source = Clock(), Watched(acme=spending("100"))
    budgets = MeasuredBudgets(source, 5.0, clock)
    assert [is_refused(budgets) for _ in range(3)] == [True] * 3
    assert source.asked == 1
    source.known = {}
    clock.ms += 5_000
    assert not is_refused(budgets)
    assert source.asked == 2


def test_an_outage_refuses_nobody_new_and_forgets_nobody():
    clock, source = Clock(), Watched(acme=spending("100"))
    source.is_away = True
    budgets = MeasuredBudgets(source, 5.0, clock)
    assert not is_refused(budgets)
    source.is_away = False
    clock.ms += 5_000
    assert is_refused(budgets)
    source.is_away = True
    clock.ms += 5_000
    assert is_refused(budgets)


def test_the_refusal_names_the_month_the_limit_and_the_cure():
    error = BudgetUsedUpError("acme", spending("100"))
    assert str(error) == "the budget of acme for 2026-11 is used up"
    assert (error.field, error.limit) == ("tenant", "100 US dollars a month (UTC)")
    assert "DRAGOMAN_BUDGETS_MONTHLY" in str(error.cure)


class Books:
    """What has been spent, by tenant."""

    def __init__(self) -> None:
        self.spent = {"acme": "0", "free": "7"}

    def rows(self, sql: str) -> list[tuple[str, str]]:
        assert "2026-11-01 00:00:00" in sql
        return list(self.spent.items())


def meter(books: Books, written: InMemorySpending) -> BudgetMeter:
    budgets = {"acme": Budget(dollars=100, stops=True), "quiet": Budget(dollars=50)}
    return BudgetMeter(BudgetSettings(monthly=budgets), books, written, lambda: NOVEMBER)


def test_the_meter_writes_down_every_tenant_with_a_budget_and_no_other():
    written = InMemorySpending()
    meter(Books(), written).measure()
    found = asyncio.run(written.read())
    assert found == {
        "acme": Spending("2026-11", Decimal(0), Decimal(100), stops=True),
        "quiet": Spending("2026-11", Decimal(0), Decimal(50), stops=False),
    }


def test_each_share_is_warned_of_once_and_counted_while_it_lasts():
    books = Books()
    measured = meter(books, InMemorySpending())
    seen = []
    for spent in ("49.99", "50", "79", "81", "81", "100", "130"):
        books.spent["acme"] = spent
        with capture_logs() as logs:
            measured.measure()
        seen.append([line["share"] for line in logs if line["event"] == "budget_share_reached"])
    assert seen == [[], [0.5], [], [0.8], [], [1.0], []]
    counts = {state: metrics.BUDGETS.labels(state)._value.get() for state in ("warned", "used_up")}
    assert counts == {"warned": 0, "used_up": 1}


@pytest.mark.parametrize("wrong", [{"monthly": {"acme": {"dollars": 0}}}, {"warning_shares": [0.0]}])
def test_budgets_and_shares_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        BudgetSettings.model_validate(wrong)

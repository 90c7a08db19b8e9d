"""`dragoman cost report` on the embedded engine: its sums are those of the books, by whatever they are cut.

Budgets are measured by the same.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from connectors.memory import InMemorySpending
from producers.cli.cost_report import By
from producers.cli.main import app
from schemas.budgets import month_of
from stream_apps.accounts.budgets import Budget, BudgetSettings
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import QueryLimits
from stream_apps.usage_sink.spending import BudgetMeter
from tests.books import AT, Books, open_books

TOKEN = "a token of this test"
DAY = datetime.fromtimestamp(AT / 1000, UTC).date()


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> Iterator[Books]:
    with open_books(tmp_path_factory.mktemp("books")) as books:
        yield books


@pytest.fixture(scope="module")
def report(books) -> Iterator[Callable[..., str]]:
    """`report("--by", "tenant")`: what the command prints."""
    with (
        pytest.MonkeyPatch.context() as environment,
        closing(QueryServer([books.database], Access("127.0.0.1", 0, TOKEN), QueryLimits(10, 1000))) as server,
    ):
        environment.setenv("DRAGOMAN_ANALYTICS_TOKEN", TOKEN)
        environment.setenv("DRAGOMAN_ANALYTICS_URL", f"http://127.0.0.1:{server.port}/")

        def ask(*arguments: str) -> str:
            ran = CliRunner().invoke(app, ["cost", "report", *arguments])
            assert ran.exit_code == 0, ran.output
            return ran.stdout

        yield ask


@pytest.mark.parametrize("by", [one for one in By if one is not By.TAG])
def test_however_it_is_cut_the_sums_are_the_same(report, by):
    rows = json.loads(report("--by", by.value, "--period", "month", "--format", "json"))
    assert rows
    assert sum(row["words"] for row in rows) == 1_500_000
    assert sum(row["cost"] for row in rows) == pytest.approx(0.27)
    assert sum(row["price"] for row in rows) == pytest.approx(20)
    assert sum(row["margin"] for row in rows) == pytest.approx(19.73)


def test_the_dearest_tenant_comes_first_with_its_cost_per_million_words(report):
    header, first, second = report("--by", "tenant").splitlines()
    assert header.split() == ["tenant", "requests", "words", "cost", "price", "margin", "cost_per_million_words"]
    assert first.split() == ["acme", "1", "1,000,000", "0.1800", "10.0000", "9.8200", "0.18"]
    assert second.split() == ["globex", "1", "500,000", "0.0900", "10.0000", "9.9100", "0.18"]


def test_a_request_counts_under_each_of_its_tags(report):
    rows = json.loads(report("--by", "tag", "--by", "tenant", "--format", "json"))
    assert [(row["tag"], row["tenant"], row["words"]) for row in rows] == [
        ("app=x", "acme", 1_000_000),
        ("team=a", "acme", 1_000_000),
        ("team=b", "globex", 500_000),
    ]


def test_a_csv_has_a_column_for_each_key_and_figure(report):
    text = report("--by", "pair", "--by", "priority", "--period", "day", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["day"], row["pair"], row["priority"]) == (DAY.isoformat(), "en-pt", "high")
    assert float(row["cost"]) == pytest.approx(0.27)


def test_days_before_since_and_from_until_on_are_left_out(report):
    after = (DAY + timedelta(days=1)).isoformat()
    assert report("--since", after, "--format", "json") == "[]\n"
    assert report("--until", DAY.isoformat(), "--format", "json") == "[]\n"
    assert len(json.loads(report("--since", DAY.isoformat(), "--until", after, "--format", "json"))) == 2


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_periods_are_those_of_the_calendar(report, period):
    (row,) = json.loads(report("--period", period, "--format", "json"))
    monday = DAY - timedelta(days=DAY.weekday())
    assert row[period] == {"day": DAY.isoformat(), "week": monday.isoformat(), "month": f"{DAY:%Y-%m}"}[period]


def test_what_the_books_do_not_know_by_tag_is_refused():
    ran = CliRunner().invoke(app, ["cost", "report", "--by", "tag", "--by", "pair"])
    assert ran.exit_code == 2
    assert "--by pair does not go with --by tag" in ran.stderr


def test_a_budget_is_measured_by_the_prices_of_the_bill(books):
    written = InMemorySpending()
    monthly = {"acme": Budget(dollars=10, stops=True), "globex": Budget(dollars=20), "new": Budget(dollars=1)}
    meter = BudgetMeter(BudgetSettings(monthly=monthly), books.database, written, lambda: AT)
    found = meter.measure()
    billed = dict(books.rows("SELECT tenant, sum(price) FROM billed GROUP BY tenant"))
    assert {tenant: one.spent for tenant, one in found.items()} == {**billed, "new": 0}
    assert found["acme"].stops_at(AT)
    assert found["globex"].share == Decimal("0.5")
    assert {one.month for one in found.values()} == {month_of(AT)}


@pytest.mark.usefixtures("report")
def test_an_estimate_takes_the_speed_that_the_books_measured():
    # 600,000 + 2 * 500,000 words in 3,600 s of a T4; 1,600,000 new words a day are an hour of 24.
    command = ["cost", "estimate", "--words", "1600000", "--device", "t4", "--replicas", "1", "--json"]
    ran = CliRunner().invoke(app, command)
    assert json.loads(ran.stdout)["machines"]["busy_share"] == pytest.approx(1 / 24)


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize(("device", "said"), [("l4", "no l4 has translated"), ("'; --", "no name of a device")])
def test_a_device_that_was_not_measured_or_is_none_is_refused_with_the_cure(device, said):
    ran = CliRunner().invoke(app, ["cost", "estimate", "--words", "1", "--device", device])
    assert ran.exit_code in (1, 2)
    assert said in ran.stderr

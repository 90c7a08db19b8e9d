"""A tenant whose budget of the month is used up gets 402, which takes nothing and sends nothing."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from schemas.budgets import Spending, month_of
from stream_apps.accounts.budgets import MeasuredBudgets
from tests.accounts import NOW_MS
from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "target_language": "pt"}


@dataclass
class Source:
    """What the caller's tenant has spent."""

    spending: Spending

    async def read(self) -> dict[str, Spending]:
        return {"default": self.spending}


@pytest.fixture
def spent(http):
    """`spent("7")`: of ten dollars."""

    def give(dollars: str, *, stops: bool = True) -> None:
        source = Source(Spending(month_of(NOW_MS), Decimal(dollars), Decimal(10), stops))
        state = http.app.state
        state.ports = replace(state.ports, budgets=MeasuredBudgets(source, 0.0, lambda: NOW_MS))

    return give


def test_a_budget_that_is_used_up_is_402_with_its_limit_and_cure(http, spent, world):
    spent("10")
    problem = problem_of(http.post(URL, json=BODY), 402, "budget_used_up")
    assert problem["limit"] == "10 US dollars a month (UTC)"
    assert problem["field"] == "tenant"
    assert "DRAGOMAN_BUDGETS_MONTHLY" in problem["cure"]
    assert world.appended == []


def test_a_document_is_refused_alike_and_its_file_is_not_stored(http, spent, world):
    spent("10")
    file = {"file": ("a.txt", b"Good morning.", "text/plain")}
    problem_of(http.post("/api/v1/documents", files=file, data={"target_language": "pt"}), 402, "budget_used_up")
    assert (world.appended, world.documents.files) == ([], {})


@pytest.mark.parametrize(("dollars", "stops"), [("9.99", True), ("500", False)])
def test_what_is_left_or_does_not_stop_is_accepted(http, spent, dollars, stops):
    spent(dollars, stops=stops)
    assert http.post(URL, json=BODY).status_code == 202


def test_reading_goes_on_when_the_budget_is_used_up(http, spent):
    spent("10")
    assert http.get(URL).status_code == 200


def test_the_usage_shows_the_budget_of_this_month_beside_what_is_spent(http, spent):
    spent("7.5", stops=False)
    budget = http.get("/api/v1/usage").json()["budget"]
    assert budget == {
        "month": month_of(NOW_MS),
        "spent_dollars": 7.5,
        "budget_dollars": 10.0,
        "stops": False,
    }


def test_what_was_spent_last_month_is_not_shown_as_this_months(http):
    source = Source(Spending("2023-10", Decimal(9), Decimal(10), stops=True))
    state = http.app.state
    state.ports = replace(state.ports, budgets=MeasuredBudgets(source, 0.0, lambda: NOW_MS))
    assert http.get("/api/v1/usage").json()["budget"] is None

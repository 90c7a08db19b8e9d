"""GET /api/v1/usage: whose usage is told, how it is grouped, and what is refused."""

import asyncio
from datetime import date

import httpx
import pytest
from pydantic import SecretStr

from connectors.clickhouse.settings import BooksSettings
from producers.http.blocking.usage import AnalyticsBooks, By, NoBooks, UsageQuestion
from schemas.accounts import TenantStatus
from schemas.errors import FatalError, PermanentError, TransientError
from stream_apps.accounts.changes import Change, TenantChange, changed_tenant
from tests.accounts import NOW_MS, key_of
from tests.unit.producers.problem import problem_of

URL = "/api/v1/usage"
QUESTION = UsageQuestion("acme", date(2023, 11, 1), date(2023, 11, 14))


def test_the_month_so_far_is_told_by_day(http, world):
    world.used = [
        {"name": "2023-11-13", "requests": 2, "words": 10, "characters": 60},
        {"name": "2023-11-14", "requests": 1, "words": 5, "characters": 30},
    ]
    answer = http.get(URL).json()
    assert (answer["tenant"], answer["since"], answer["until"]) == ("default", "2023-11-01", "2023-11-14")
    assert (answer["words"], answer["characters"], answer["rows"]) == (15, 90, world.used)
    assert answer["characters_per_day"] is None


def test_a_caller_gets_the_usage_of_their_own_tenant_alone(http, world, store):
    caller = http.showing(key_of(store, "acme").text)
    caller.get(f"{URL}?by=pair")
    assert (world.questions[0].tenant, world.questions[0].by) == ("acme", By.PAIR)
    problem_of(caller.get(f"{URL}?tenant=globex"), 403, "foreign_tenant")
    assert http.get(f"{URL}?tenant=globex").json()["tenant"] == "globex"


def test_an_operator_sees_what_a_suspended_tenant_has_used_and_its_limit(http, store):
    wish = TenantChange(status=TenantStatus.SUSPENDED, limits={"characters_per_day": 500})
    store.change(lambda found: [changed_tenant(found, "acme", wish, Change("tests", NOW_MS))])
    assert http.get(f"{URL}?tenant=acme").json()["characters_per_day"] == 500


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("by=label", "no_label"),
        ("label=project", "no_label"),
        ("by=label&label=it%27s", "invalid_request"),
        ("by=label&label=a%5Cb", "invalid_request"),
        ("tenant=a%27b", "invalid_request"),
        ("by=tenant", "invalid_request"),
        ("since=2023-11-31", "invalid_request"),
        ("since=2023-11-15", "bad_period"),
        ("since=2022-01-01", "bad_period"),
        ("colour=red", "invalid_request"),
    ],
)
def test_what_makes_no_question_is_refused(http, world, query, cause):
    assert problem_of(http.get(f"{URL}?{query}"), 422, cause)["field"]
    assert not world.questions


def test_books_that_cannot_be_read_are_503(http, world):
    world.take_away("books")
    answer = http.get(URL)
    problem_of(answer, 503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_without_an_address_the_answer_names_the_setting():
    with pytest.raises(TransientError, match="DRAGOMAN_BOOKS_URL"):
        asyncio.run(NoBooks().usage(QUESTION))


@pytest.mark.parametrize("refusal", [PermanentError("query_refused", "no such table"), TransientError("away")])
def test_whatever_the_books_say_is_no_mistake_of_the_caller(refusal):
    class Refusing:
        def query(self, sql):
            raise refusal

    with pytest.raises(TransientError, match="the books cannot be read"):
        asyncio.run(AnalyticsBooks(Refusing).usage(QUESTION))


def test_the_address_of_a_server_keeps_its_database(monkeypatch):
    asked = []

    def post(url, **rest):
        asked.append(str(url))
        return httpx.Response(200, json={"data": []}, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)
    settings = BooksSettings(url=SecretStr("http://u:p@clickhouse:8123/?database=dragoman"))
    opener = settings.opener()
    assert opener
    assert opener().query("SELECT 1") == []
    assert "database=dragoman" in asked[0]
    assert "default_format=JSON" in asked[0]


def test_no_address_is_no_client_and_a_missing_file_is_fatal(tmp_path):
    assert BooksSettings().opener() is None
    with pytest.raises(FatalError, match="DRAGOMAN_BOOKS_TOKEN_FILE"):
        BooksSettings(url=SecretStr("http://x"), token_file=str(tmp_path / "none")).opener()
    (tmp_path / "token").write_text("a token of this test\n")
    assert BooksSettings(url=SecretStr("http://x"), token_file=str(tmp_path / "token")).opener() is not None

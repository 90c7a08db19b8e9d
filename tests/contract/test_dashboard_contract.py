"""Every panel on real rows, over HTTP: figures, filters, comparison, CSV, who may ask, and what does no harm."""

import csv
import io
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import Database
from schemas.errors import PermanentError
from stream_apps.dashboard.panel import Kind
from stream_apps.dashboard.panels import PAGES, PANELS
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.usage_sink.prices import EXAMPLE_PRICES, EXAMPLE_WORD_PRICES
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.rebuild import ROLLUPS, rebuild_rollup
from stream_apps.usage_sink.settings import QueryLimits
from tests.dashboard.books import fill
from tests.unit.stream_apps.test_dashboard_parameters import INJECTIONS

TOKEN = "a token of this test"
END = datetime.now(UTC).replace(minute=20, second=0, microsecond=0) - timedelta(hours=1)
# It cuts hours and days at both ends.
WHOLE = {
    "from": str(round((END - timedelta(days=3, minutes=5)).timestamp())),
    "to": str(round(END.timestamp()) + 1),
}
ANSWERS = 2000


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> Iterator[Database]:
    made = Database(f"chdb://{tmp_path_factory.mktemp('clickhouse')}")
    made.create(EXAMPLE_PRICES, {**EXAMPLE_WORD_PRICES, "acme/high": 50.0})
    fill(made, answers=ANSWERS, days=3, end=END)
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(books) -> Iterator[str]:
    limits = QueryLimits(30, 100_000)
    with closing(QueryServer([books], Access("127.0.0.1", 0, TOKEN), limits, DashboardSection())) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def client(url) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as made:
        yield made


@pytest.fixture
def ask(client):
    def ask(panel: str, **asked: str) -> dict[str, Any]:
        answer = client.get(f"/dashboard/api/panels/{panel}", params={**WHOLE, **asked})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return ask


def inside(answer: dict[str, Any], column: str = "at") -> str:
    """Return the range of the answer as SQL."""
    return f"{column} >= toDateTime({answer['from']}) AND {column} < toDateTime({answer['to']})"


def total(answer: dict[str, Any], key: str = "rows") -> float:
    return sum(row[2] for row in answer[key])


@pytest.mark.parametrize("panel", sorted(PANELS))
def test_every_panel_has_rows(ask, panel):
    check_rows(ask(panel), panel)


@pytest.mark.parametrize("panel", ["overview_figures", "answer_time", "machine_states", "active_users", "jobs"])
def test_a_few_hours_and_the_period_before_have_rows_too(ask, panel):
    found = ask(panel, **{"from": str(int(WHOLE["to"]) - 6 * 3600)}, compare="previous")
    check_rows(found, panel)
    assert found["before"]


def check_rows(found: dict[str, Any], panel: str) -> None:
    assert found["rows"]
    if PANELS[panel].kind in (Kind.LINES, Kind.BARS):
        assert {(row[0] - found["from"]) % found["step"] for row in found["rows"]} == {0}
        assert all(found["from"] <= row[0] < found["to"] for row in found["rows"])
        assert sum(row[2] or 0 for row in found["rows"]) > 0
    else:
        assert any(value for value in found["rows"][0] if not isinstance(value, str))


def test_figures_are_those_of_the_raw_rows_however_the_range_is_cut(ask, books):
    sql = "SELECT count(), sum(source_words), sum(latency_ms > sla_ms) FROM usage_events WHERE kind = 'billed'"
    for begin, end, step in [(0, 0, "3600"), (50, 31, "900"), (13, 47, "21600"), (0, 30, "86400")]:
        since, until = int(WHOLE["from"]) + begin * 3600 + 777, int(WHOLE["to"]) - end * 600 - 333
        asked = {"from": str(since), "to": str(until) if end else "now", **({"step": step} if step else {})}
        answer = ask("overview_figures", **asked)
        ((answers, words, late),) = books.rows(f"{sql} AND {inside(answer)}")
        row = dict(zip(answer["names"], answer["rows"][0], strict=True))
        assert (row["answers"], row["words"]) == (answers, words)
        assert row["kept"] == pytest.approx(1 - late / answers)
        assert total(ask("words_by_priority", **asked)) == words
        assert total(ask("words_by_tenant", **asked)) == words
        users = ask("usage_by_user", **asked)
        assert sum(row[2] for row in users["rows"]) == answers


def test_percentiles_are_within_five_per_cent_of_the_raw_rows(ask, books):
    answer = ask("overview_figures")
    row = dict(zip(answer["names"], answer["rows"][0], strict=True))
    sql = "SELECT quantilesExact(0.5, 0.95)(latency_ms) FROM usage_events WHERE kind = 'billed'"
    (((p50, p95),),) = books.rows(f"{sql} AND {inside(answer)}")
    assert row["p50"] == pytest.approx(p50 / 1000, rel=0.05)
    assert row["p95"] == pytest.approx(p95 / 1000, rel=0.05)


def test_money_is_that_of_the_books(ask, books):
    answer = ask("cost_figures")
    row = dict(zip(answer["names"], answer["rows"][0], strict=True))
    ((cost,),) = books.rows(f"SELECT toFloat64(sum(cost)) FROM cost WHERE {inside(answer)}")
    sums = "toFloat64(sum(price)), toFloat64(sumIf(price, tenant = 'acme'))"
    ((price, of_acme),) = books.rows(f"SELECT {sums} FROM billed WHERE {inside(answer)}")
    assert row["cost"] == pytest.approx(cost)
    assert row["price"] == pytest.approx(price)
    paid = {tenant: money for tenant, _, money, *_ in ask("money_by_tenant")["rows"]}
    assert paid["acme"] == pytest.approx(of_acme)


def test_machine_time_is_that_of_the_books(ask, books):
    found = ask("machine_states", step="3600")
    states = {name: sum(row[2] for row in found["rows"] if row[1] == name) for name in ("starting", "draining")}
    since, until = (f"toDateTime64({found[name]}, 3)" for name in ("from", "to"))
    sql = f"""SELECT state, sum(dateDiff('millisecond', greatest(since, {since}), least(until, {until}))) / 3600000
        FROM worker_intervals FINAL WHERE until > {since} AND since < {until} GROUP BY state"""
    expected = dict(books.rows(sql))
    assert states == pytest.approx({name: expected[name] for name in states})
    assert sum(row[4] for row in ask("workers_table", step="3600")["rows"]) == pytest.approx(expected["ready"])


def test_a_filter_keeps_what_it_names(ask):
    everything, acme = ask("words_by_pair"), ask("words_by_pair", tenant="acme")
    assert 0 < total(acme) < total(everything)
    both = ask("words_by_pair", tenant="acme", pair="en-pt", priority="high")
    assert {row[1] for row in both["rows"]} == {"en-pt"}
    assert 0 < total(both) < total(acme)
    assert ask("words_by_pair", tenant="nobody")["rows"] == []
    assert {row[1] for row in ask("words_by_priority", priority="high")["rows"]} == {"high"}
    assert {row[0] for row in ask("models_table", model="nllb-200-3.3b")["rows"]} == {"nllb-200-3.3b"}


def test_the_period_before_lies_at_the_same_steps(ask):
    day = {"from": str(int(WHOLE["to"]) - 86_400), "to": WHOLE["to"], "step": "3600"}
    now = ask("answers_by_priority", **day, compare="previous")
    earlier = ask(
        "answers_by_priority", **{"from": str(now["from"] - 86_400), "to": str(now["to"] - 86_400)}, step="3600"
    )
    assert total(now, "before") == total(earlier) > 0
    assert {row[0] for row in now["before"]} <= {now["from"] + 3600 * n for n in range(25)}


def test_behind_a_peak_lie_its_jobs(ask):
    found = ask("words_by_priority", step="3600")
    t = max(found["rows"], key=lambda row: row[2])[0]
    step = {"from": str(t), "to": str(t + 3600)}
    jobs = ask("jobs", **step, order="words")
    words = [row[jobs["names"].index("source_words")] for row in jobs["rows"]]
    assert words == sorted(words, reverse=True)
    assert sum(words) == sum(row[2] for row in found["rows"] if row[0] == t)
    failed = ask("jobs", state="failed")
    assert {row[failed["names"].index("outcome")] for row in failed["rows"]} <= {"failed", "expired", "partial"}


@pytest.mark.parametrize("panel", ["overview_figures", "words_by_pair", "jobs", "usage_by_user"])
def test_csv_says_what_json_says(client, ask, panel):
    asked = {**WHOLE, "compare": "previous", "format": "csv"}
    answer = client.get(f"/dashboard/api/panels/{panel}", params=asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{panel}.csv"'
    head, *rows = csv.reader(io.StringIO(answer.text))
    shown = ask(panel, compare="previous")
    assert head == ["period", *shown["names"]]
    assert [row[0] for row in rows] == ["now"] * len(shown["rows"]) + ["before"] * len(shown["before"])
    assert rows[0][1:] == ["" if value is None else str(value) for value in shown["rows"][0]]


def test_a_text_that_a_spreadsheet_would_run_is_quoted(client, books):
    books.run(
        "INSERT INTO usage_events (event_id, kind, tenant, submitted_by, priority, source_words, at) VALUES "
        f"(generateUUIDv4(), 'billed', 'odd', '=1+1', 'high', 5, toDateTime({WHOLE['to']}) - 60)"
    )
    answer = client.get("/dashboard/api/panels/usage_by_user", params={**WHOLE, "tenant": "odd", "format": "csv"})
    assert "\n'=1+1,odd,1,5," in answer.text.replace("\r\n", "\n")


@pytest.mark.parametrize("value", INJECTIONS)
def test_no_injection_reaches_anything(client, books, value):
    before = books.rows("SELECT count() FROM usage_events")
    for field in ("tenant", "model"):
        answer = client.get("/dashboard/api/panels/words_by_pair", params={**WHOLE, field: value})
        assert (answer.status_code, answer.json()["rows"]) == (200, [])
    # What the other fields refuse: test_dashboard_parameters.py.
    for field in ("pair", value):
        answer = client.get("/dashboard/api/panels/words_by_pair", params={**WHOLE, field: value})
        told = answer.json()
        assert (answer.status_code, told["type"]) == (400, "urn:dragoman:problem:bad_parameter")
        assert told["cure"]
    assert books.rows("SELECT count() FROM usage_events") == before


def test_a_panel_that_is_not_there_is_404(client):
    answer = client.get("/dashboard/api/panels/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:dragoman:problem:no_such_panel")


def test_nobody_gets_a_figure_without_a_token_or_a_session(url):
    for path in ("pages", "panels/words_by_pair"):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "dragoman_dashboard=1.2.3"}):
            answer = httpx.get(f"{url}/dashboard/api/{path}", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:dragoman:problem:unauthorised")
    assert httpx.post(f"{url}/dashboard/links").status_code == 401
    assert httpx.post(f"{url}/dashboard/session", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_link_signs_a_browser_in_once_and_leaves_the_address(url):
    link = AnalyticsClient(url, TOKEN).dashboard_link()
    assert TOKEN not in link
    with httpx.Client(base_url=url) as browser:
        entered = browser.get(link)
        assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard/overview")
        cookie = entered.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/dashboard"} <= set(cookie.split("; "))
        assert browser.get("/dashboard/api/pages").status_code == 200
        # The session is the dashboard's: SQL needs the token.
        assert browser.get("/", params={"query": "SELECT 1"}).status_code == 401
        browser.delete("/dashboard/session")
        assert browser.get("/dashboard/api/pages").status_code == 401
    again = httpx.get(link)
    assert (again.headers["location"], again.headers.get("set-cookie")) == (
        "/dashboard/overview?signed-in=no",
        None,
    )


def test_where_there_is_no_dashboard_the_command_says_the_cure(books):
    with (
        closing(QueryServer([books], Access("127.0.0.1", 0, TOKEN), QueryLimits(5, 10))) as server,
        pytest.raises(PermanentError) as caught,
    ):
        AnalyticsClient(f"http://127.0.0.1:{server.port}/", TOKEN).dashboard_link()
    assert (caught.value.cause, "DRAGOMAN_DASHBOARD_ENABLED" in (caught.value.cure or "")) == (
        "no_dashboard",
        True,
    )


def test_the_page_may_run_and_ask_nothing_but_its_server(url):
    for path in ("/dashboard/overview", "/dashboard/assets/main.js", "/dashboard/assets/base.css"):
        headers = httpx.get(url + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{url}/dashboard").headers["location"] == "/dashboard/overview"
    assert httpx.get(f"{url}/dashboard/assets/../settings.py").status_code == 404


def test_the_description_names_every_panel_with_what_it_needs(client):
    told = client.get("/dashboard/api/pages").json()
    assert [page["id"] for page in told["pages"]] == ["overview", "workers", "queues", "cost", "users"]
    for page, shown in zip(PAGES, told["pages"], strict=True):
        assert [panel.id for panel in page.panels] == [panel["id"] for panel in shown["panels"]]
        assert all(panel["columns"] or panel["kind"] in ("lines", "bars") for panel in shown["panels"])
    # A user of two days is one user; so today's are shown, though today is not over.
    assert [panel["adds"] for panel in told["pages"][-1]["panels"] if panel["id"] == "active_users"] == [False]


def test_a_rebuild_makes_every_rollup_as_it_was(books):
    sums = {
        "usage_hourly": "sum(events), sum(source_words), sum(late)",
        "durations_hourly": "sum(answers), sum(answers * bucket)",
        "users_daily": "sum(answers), sum(failed), sum(source_words)",
    }
    assert sums.keys() == ROLLUPS.keys()
    before = {name: books.rows(f"SELECT {sql} FROM {name}") for name, sql in sums.items()}
    books.run("TRUNCATE TABLE durations_hourly")
    began = time.monotonic()
    assert rebuild_rollup(books) == 0
    assert time.monotonic() - began < 60
    assert {name: books.rows(f"SELECT {sql} FROM {name}") for name, sql in sums.items()} == before

"""`dragoman usage` against a small server that answers as ClickHouse does over HTTP."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from deploy.local.state_files import RunInfo, analytics_token_path, keep_secret
from producers.cli import target
from producers.cli.main import app

ROW = {
    "name": "acme",
    "requests": 4,
    "words": 200_000,
    "cached_words": 50_000,
    "p50_seconds": 1.25,
    "p95_seconds": 9.5,
    "in_sla": 3,
    "cost_usd": 0.05,
}


class ClickHouse:
    def __init__(self) -> None:
        self.rows = [ROW]
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []
        self.refusal = ""
        self.url = ""


@pytest.fixture
def clickhouse():
    house = ClickHouse()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            house.authorizations.append(self.headers["Authorization"])
            house.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(400 if house.refusal else 200)
            self.end_headers()
            self.wfile.write(house.refusal.encode() or json.dumps({"data": house.rows}).encode())

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    house.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield house
    server.shutdown()
    server.server_close()
    thread.join()


def usage(house, *arguments):
    return CliRunner().invoke(app, ["usage", "--url", house.url, *arguments])


def test_words_latency_and_cost_stand_in_one_line_for_each_tenant(clickhouse):
    ran = usage(clickhouse)
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        "tenant  requests  words   cached  p50    p95    in SLA  cost     per M words",
        "acme    4         200000  25.0%   1.2 s  9.5 s  75.0%   $0.0500  $0.25",
    ]


def test_a_group_without_words_has_no_price_per_word(clickhouse):
    clickhouse.rows = [ROW | {"words": 0, "cached_words": 0, "cost_usd": 0}]
    assert usage(clickhouse).stdout.endswith("$0.0000  -\n")


def test_usage_as_json_is_what_clickhouse_said(clickhouse):
    assert json.loads(usage(clickhouse, "--by", "pool", "--json").stdout) == [ROW]


def test_nothing_used_is_said_beside_the_output(clickhouse):
    clickhouse.rows = []
    ran = usage(clickhouse, "--days", "7")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", "nothing was used in the last 7 days\n")


@pytest.mark.parametrize(
    ("arguments", "column"), [(["--by", "priority"], "priority"), (["--by", "pair"], "concat")]
)
def test_the_grouping_and_the_days_are_asked_for(clickhouse, arguments, column):
    usage(clickhouse, *arguments, "--days", "7")
    assert f"SELECT {column}" in clickhouse.asked[0]
    assert "INTERVAL 7 DAY" in clickhouse.asked[0]


def test_a_refused_question_fails_in_one_line(clickhouse):
    clickhouse.refusal = "no such table"
    ran = usage(clickhouse)
    assert (ran.exit_code, ran.stderr) == (1, "dragoman: no such table\n")


@pytest.fixture
def local_run(tmp_path, monkeypatch):
    """The local platform's run file, as if it ran at an address where nothing answers."""
    keep_secret(analytics_token_path(tmp_path))
    run = RunInfo("k", "http://h", "http://127.0.0.1:1", "c", "s", str(tmp_path), 1, 0.0)
    monkeypatch.setattr(target, "is_running", lambda root: True)
    monkeypatch.setattr(target, "read_run", lambda root: run)
    return run


def test_the_local_platform_is_asked_with_its_token(clickhouse, local_run, monkeypatch):
    monkeypatch.setattr(target, "read_run", lambda root: replace(local_run, analytics_url=clickhouse.url))
    assert CliRunner().invoke(app, ["usage"]).exit_code == 0
    assert clickhouse.authorizations == [f"Bearer {local_run.analytics_token()}"]


def test_another_platform_never_gets_the_local_token_but_the_one_that_is_set(clickhouse, local_run, monkeypatch):
    usage(clickhouse)
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_URL", clickhouse.url)
    CliRunner().invoke(app, ["usage"])
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_TOKEN", "the token of that one")
    usage(clickhouse)
    CliRunner().invoke(app, ["usage"])
    assert clickhouse.authorizations == [None, None, *["Bearer the token of that one"] * 2]


def test_an_unknown_grouping_is_wrong_usage(clickhouse):
    assert usage(clickhouse, "--by", "colour").exit_code == 2

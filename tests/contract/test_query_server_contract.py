"""The two walls and the token in front of the embedded engine: what may be asked, and what is refused."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date

import httpx
import pytest

from connectors.clickhouse.database import Database
from producers.cli.demo import _BILLED, _BY_PRIORITY
from producers.cli.usage import By, question
from producers.http.blocking.usage import By as UsageBy
from producers.http.blocking.usage import UsageQuestion
from schemas.errors import PermanentError
from stream_apps.usage_sink.query_check import TABLES
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import QueryLimits

TOKEN = "a token of this test"
SECRET = "what nobody may read"


@pytest.fixture(scope="module")
def server(database) -> Iterator[QueryServer]:
    with closing(QueryServer([database], Access("127.0.0.1", 0, TOKEN), QueryLimits(5, 1000))) as made:
        yield made


@pytest.fixture
def ask(server):
    def ask(sql: str, **parameters: str) -> httpx.Response:
        url, headers = f"http://127.0.0.1:{server.port}", {"Authorization": f"Bearer {TOKEN}"}
        return httpx.post(url, content=sql, headers=headers, params=parameters, timeout=30)

    return ask


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture
def listener():
    """A host of the network, and whether anybody called it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        called = threading.Event()

        def accept() -> None:
            try:
                listening.accept()[0].close()
                called.set()
            except OSError:
                pass

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1], called
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_what_the_commands_and_dashboards_ask_is_answered(ask):
    questions = [
        *(question(by, 30) for by in By),
        *(UsageQuestion("acme", date(2026, 1, 1), date(2026, 1, 31), by, "team").sql for by in UsageBy),
        _BILLED,
        _BY_PRIORITY,
        "SELECT 1;",
        "SELECT 'DROP TABLE; x' AS a, 'it''s', 'a\\\\b', 'x--y', '/*'",
        "SELECT 1 -- url('x')",
        "with 1 as x select x",
        "WITH t AS (SELECT 1 AS a) SELECT a FROM t WHERE a IN (SELECT a FROM t)",
        "SELECT toStartOfHour(at) AS hour, count() FROM usage_events GROUP BY hour WITH TOTALS ORDER BY hour",
        "SELECT quantiles(0.5, 0.9)(latency_ms), sumIf(source_words, kind = 'billed') FROM usage_events",
        "SELECT if(1, 2, 3), dateDiff('day', at, now()), at::Date FROM usage_events PREWHERE 1",
        "SELECT argMax(tenant, at) FROM usage_events WHERE at >= now() - INTERVAL 1 DAY",
        "SELECT * EXCEPT (worker) FROM usage_hourly FINAL",
        "SELECT tenant FROM usage_events ORDER BY at LIMIT 1 BY tenant",
        "SELECT sum(segments) OVER (PARTITION BY tenant ORDER BY at) FROM usage_events",
        "SELECT a FROM (SELECT [1, 2] AS b) ARRAY JOIN b AS a",
        "SELECT * FROM cost AS c LEFT JOIN price_list USING (device)",
        "SELECT request_id FROM usage_events WHERE tenant NOT IN ('a', 'b') UNION ALL SELECT 'x'",
    ]
    answers = {sql: ask(sql, default_format="JSON") for sql in questions}
    assert {sql: answer.text for sql, answer in answers.items() if answer.status_code != 200} == {}


def test_every_table_of_ours_can_be_read_and_no_other_exists(database, ask):
    # What fills a rollup is a view too.
    found = {str(name) for (name,) in database.rows("SHOW TABLES") if not str(name).endswith("_view")}
    assert found == TABLES
    columns = "SELECT table, name FROM system.columns WHERE database = currentDatabase() ORDER BY table, position"
    names: dict[str, list[str]] = {}
    for table, name in database.rows(columns):
        names.setdefault(str(table), []).append(str(name))
    # By name: a column that is called as a function that is refused could not be asked for.
    answers = {table: ask(f"SELECT {', '.join(names[table])} FROM {table} LIMIT 0") for table in TABLES}
    assert {table: answer.text for table, answer in answers.items() if answer.status_code != 200} == {}


READS = [
    "SELECT * FROM file('{path}', 'LineAsString')",
    "SELECT * FROM file/**/('{path}', 'LineAsString')",
    "SELECT * FROM `file`('{path}', 'LineAsString')",
    "SELECT file('{path}')",
    "SELECT `file`('{path}')",
    "SELECT arrayMap(file, ['{path}'])",
    "SELECT arrayMap(x -> file(x), ['{path}'])",
    "SELECT * APPLY(file) FROM (SELECT '{path}')",
    "SELECT * FROM `{path}`",
    "SELECT * FROM '{path}'",
    'SELECT * FROM "{path}"',
    "SELECT * FROM (WITH `{path}` AS (SELECT 1) SELECT 1), `{path}`",
    "SELECT '" + SECRET + "' IN `{path}`",
    "SELECT * FROM usage_events WHERE tenant IN (SELECT * FROM file('{path}', 'LineAsString'))",
    "SELECT 1 UNION ALL (SELECT * FROM file('{path}', 'LineAsString'))",
    "WITH x AS (SELECT * FROM file('{path}', 'LineAsString')) SELECT * FROM x",
    "SELECT * FROM (SELECT * FROM file('{path}', 'LineAsString') SETTINGS readonly = 0)",
    "/* /* */ SELECT 1 */ SELECT file('{path}')",
    "SELECT $a$ $a$, file('{path}') -- $a$",
    "SELECT * FROM executable('cat {path}', 'TSV', 'x String')",
    "SELECT * FROM merge('system', '.*')",
    "SELECT * FROM system.settings",
    "SELECT 'a' IN system.one",
    "SELECT `in`('a', system.one)",
    "SELECT getSetting('max_threads'), hostName()",
    "EXPLAIN SELECT * FROM file('{path}', 'LineAsString')",
    "DESCRIBE TABLE file('{path}')",
    "SELECT * FROM view(SELECT file('{path}'))",
]


@pytest.mark.parametrize("sql", READS)
def test_no_query_reads_a_file_or_the_servers_own_tables(ask, secret, sql):
    answer = ask(sql.format(path=secret))
    assert (answer.status_code in (400, 403), SECRET in answer.text) == (True, False), answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM url('http://127.0.0.1:{port}/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1:{port}', system.one)",
        "SELECT * FROM s3('http://127.0.0.1:{port}/b/x', 'CSV')",
        "SELECT * FROM mysql('127.0.0.1:{port}', 'd', 't', 'u', 'p')",
        "SELECT * FROM postgresql('127.0.0.1:{port}', 'd', 't', 'u', 'p')",
        "SELECT * FROM `http://127.0.0.1:{port}/x.csv`",
        "SELECT * FROM cluster('http://127.0.0.1:{port}', system.one)",
        "SELECT AIGenerate('http://127.0.0.1:{port}')",
        "INSERT INTO FUNCTION url('http://127.0.0.1:{port}/', 'CSV', 'x Int8') SELECT 1",
    ],
)
def test_no_query_reaches_a_host(ask, listener, sql):
    port, called = listener
    assert ask(sql.format(port=port)).status_code in (400, 403)
    assert not called.wait(0.05)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE '{path}'",
        "SELECT 1 INTO OUTFILE '{path}' FORMAT CSV",
        "SELECT 1 INTO /**/ OUTFILE '{path}'",
        "SELECT * FROM usage_events INTO OUTFILE '{path}' APPEND",
        "SELECT 1) INTO OUTFILE '{path}' --",
        "INSERT INTO FUNCTION file('{path}', 'CSV', 'x Int8') SELECT 1",
        "INSERT INTO restores (backup_id) VALUES ('x')",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "CREATE TABLE x ENGINE = File(CSV) AS SELECT 1",
        "DROP TABLE usage_events",
        "ALTER TABLE usage_events DELETE WHERE 1",
        "TRUNCATE TABLE usage_events",
        "RENAME TABLE usage_events TO x",
        "SELECT 1; DROP TABLE usage_events",
        "SET max_memory_usage = 0",
        "SET readonly = 0",
        "SELECT 1 SETTINGS max_result_rows = 0",
        "SELECT 1 FORMAT JSON SETTINGS max_result_rows = 0",
        "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
        "SYSTEM SHUTDOWN",
        "GRANT ALL ON *.* TO default",
        "SELECT sleep(3)",
    ],
)
def test_no_query_writes_or_changes_a_setting(ask, database, tmp_path, sql):
    before = database.rows("SELECT count() FROM system.tables"), database.rows("SELECT count() FROM restores")
    path = tmp_path / "out.csv"
    assert ask(sql.format(path=path)).status_code in (400, 403)
    assert not path.exists()
    after = database.rows("SELECT count() FROM system.tables"), database.rows("SELECT count() FROM restores")
    assert before == after


def test_no_setting_comes_in_with_the_format(ask):
    assert ask("SELECT 1", default_format="CSV SETTINGS max_result_rows = 0").status_code == 400


@pytest.mark.parametrize("sql", READS[:1] + READS[8:10])
def test_the_engine_refuses_by_itself_what_reads_files_as_tables(database, secret, sql):
    with pytest.raises(PermanentError, match="readonly mode"):
        database.answer(sql.format(path=secret), "CSV", {})


def test_the_engine_takes_no_outfile_behind_the_brackets(database, tmp_path):
    path = tmp_path / "out.csv"
    with pytest.raises(PermanentError, match="Syntax error"):
        database.answer(f"SELECT 1 INTO OUTFILE '{path}'", "CSV", {})
    assert not path.exists()


def test_a_query_leaves_no_setting_behind(database: Database, ask):
    settings = "SELECT name, value FROM system.settings WHERE name IN ('readonly', 'max_execution_time')"
    before = database.rows(settings)
    assert ask("SELECT 1").status_code == 200
    assert ask("SELECT count() FROM usage_events WHERE throwIf(1)").status_code in (200, 400)
    assert database.rows(settings) == before
    database.insert("restores", {"backup_id": ["x"], "state": ["begun"]}, "after a query")


def test_a_query_without_the_token_is_refused_and_told_the_cure(server):
    url = f"http://127.0.0.1:{server.port}/?query=SELECT%201"
    for authorization in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN):
        answer = httpx.get(url, headers={"Authorization": authorization})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["type"] == "urn:dragoman:problem:unauthorised"
        assert "Authorization: Bearer" in answer.json()["cure"]


def test_a_server_without_a_token_answers_no_query(database):
    with closing(QueryServer([database], Access("127.0.0.1", 0, ""), QueryLimits(5, 1000))) as server:
        answer = httpx.get(
            f"http://127.0.0.1:{server.port}/?query=SELECT%201", headers={"Authorization": "Bearer x"}
        )
    assert (answer.status_code, "DRAGOMAN_ANALYTICS_TOKEN" in answer.json()["cure"]) == (401, True)


def test_whether_it_is_up_may_be_asked_without_a_token(server):
    assert httpx.get(f"http://127.0.0.1:{server.port}/ping").text == "Ok.\n"


def test_the_interface_answers_as_a_server_does(ask):
    assert ask("SELECT 1 FORMAT JSON").json()["data"] == [{"1": 1}]
    assert ask("SELECT 1, 2").text == "1\t2\n"


@pytest.mark.parametrize(
    ("sql", "status", "cause"),
    [
        ("DROP TABLE x", 403, "not_a_query"),
        ("SELECT * FROM url('http://x')", 403, "reaches_out"),
        ("SELECT FROM WHERE", 400, "malformed_query"),
        ("SELECT no_such_column FROM usage_events", 400, "query_failed"),
        (f"SELECT {'(' * 900}1{')' * 900}", 400, "malformed_query"),
        (f"SELECT '{'x' * 70_000}'", 400, "malformed_query"),
        (f"SELECT '{'x' * 300_000}'", 413, "body_too_large"),
    ],
)
def test_a_refusal_is_a_problem_that_names_its_cause(ask, sql, status, cause):
    answer = ask(sql)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dragoman:problem:{cause}")
    assert answer.json()["cure" if cause != "query_failed" else "detail"]

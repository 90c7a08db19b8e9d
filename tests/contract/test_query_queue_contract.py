"""Queries and inserts at the same time on the embedded engine: none starves the sink, and few may wait."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest

from connectors.clickhouse.database import Database
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import QueryLimits

TOKEN = "a token of this test"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
# Ends by itself after the time that a query may take.
_MANY = "(SELECT arrayJoin(range(100000)) AS {0}) AS {0}s"
SLOW = f"SELECT sum(sipHash64(a, b)) FROM {_MANY.format('a')} CROSS JOIN {_MANY.format('b')}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return f"chdb://{tmp_path_factory.mktemp('queue')}"


@pytest.fixture(scope="module")
def sink(folder) -> Iterator[Database]:
    with closing(Database(folder)) as database:
        database.create({})
        yield database


@contextmanager
def serving(folder: str, limits: QueryLimits) -> Iterator[str]:
    with (
        closing(Database(folder)) as reader,
        closing(QueryServer([reader], Access("127.0.0.1", 0, TOKEN), limits)) as server,
    ):
        yield f"http://127.0.0.1:{server.port}/"


def ask(url: str, sql: str) -> httpx.Response:
    return httpx.post(url, content=sql, headers=HEADERS, timeout=30)


def test_inserts_do_not_wait_for_a_query_that_runs(folder, sink):
    with serving(folder, QueryLimits(seconds=2, rows=10)) as url, ThreadPoolExecutor(1) as other:
        slow = other.submit(ask, url, SLOW)
        for number in range(3):
            sink.insert("restores", {"backup_id": [str(number)], "state": ["begun"]}, f"t{number}")
        assert not slow.done()
        answer = slow.result()
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:dragoman:problem:query_failed")


def test_queries_beyond_the_queue_are_refused_at_once_and_told_when_to_come_again(folder, sink):
    with serving(folder, QueryLimits(seconds=2, rows=10, queued=1)) as url, ThreadPoolExecutor(6) as others:
        answers = [one.result() for one in [others.submit(ask, url, SLOW) for _ in range(6)]]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) == 4
    assert {answer.json()["type"] for answer in refused} == {"urn:dragoman:problem:busy"}
    assert all(
        answer.headers["Retry-After"] == "1" and "MAX_QUERIES" in answer.json()["cure"] for answer in refused
    )


def test_a_query_that_waits_too_long_is_refused(folder, sink):
    limits = QueryLimits(seconds=1, rows=10, queued=5, wait_seconds=0.2)
    with serving(folder, limits) as url, ThreadPoolExecutor(2) as others:
        answers = [one.result() for one in [others.submit(ask, url, SLOW) for _ in range(2)]]
        assert sorted(answer.status_code for answer in answers) == [400, 503]
        assert ask(url, "SELECT 1").text == "1\n"


def test_clients_that_wait_or_send_slowly_hold_no_thread(folder, sink):
    with serving(folder, QueryLimits(seconds=1, rows=10)) as url:
        before = threading.active_count()
        host, port = "127.0.0.1", int(url.rstrip("/").rpartition(":")[2])
        opened = [httpx.Client(base_url=f"http://{host}:{port}", headers=HEADERS) for _ in range(20)]
        for client in opened:
            assert client.get("/ping").text == "Ok.\n"
        assert threading.active_count() <= before + 1
        for client in opened:
            client.close()

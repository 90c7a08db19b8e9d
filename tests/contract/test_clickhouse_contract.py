"""Tables, exactly-once inserts, rollup and cost, on the embedded engine: the DDL is that of a server."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import Database
from schemas.errors import PermanentError, TransientError
from schemas.events import UsageEvent
from schemas.ids import event_id
from schemas.records import InboundRecord
from schemas.states import UsageKind
from stream_apps.usage_sink.inserting import columns_of
from stream_apps.usage_sink.prices import EXAMPLE_PRICES
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.rows.usage import row_of
from stream_apps.usage_sink.settings import QueryLimits

TOKEN = "a token of this test"
HOUR_MS = 3_600_000
NOW_MS = round(datetime(2026, 3, 31, 23, 30, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(scope="module")
def server(database) -> Iterator[QueryServer]:
    made = QueryServer([database], Access("127.0.0.1", 0, TOKEN), QueryLimits(seconds=10, rows=1000))
    yield made
    made.close()


@pytest.fixture
def tenant(request) -> str:
    """A tenant of the test's own, so that tests share one database."""
    return request.node.name


@pytest.fixture
def ask(server):
    return AnalyticsClient(f"http://127.0.0.1:{server.port}", TOKEN).query


def insert(database: Database, token: str, *events: UsageEvent) -> None:
    rows = [row_of(event, InboundRecord("translation.usage", 0, at, None, b"")) for at, event in enumerate(events)]
    database.insert("usage_events", columns_of(rows), token)


def event(tenant: str, number: int, **fields: Any) -> UsageEvent:
    usual = {
        "kind": UsageKind.BILLED,
        "request_id": f"{tenant}-{number}",
        "tenant": tenant,
        "source_words": 10,
        "at": NOW_MS,
    }
    return UsageEvent(**{**usual, "event_id": event_id(tenant, number), **fields})


def raw_and_rollup(ask, tenant: str) -> tuple[tuple[int, int], tuple[int, int]]:
    raw = ask(f"SELECT count() AS n, sum(source_words) AS words FROM usage_events WHERE tenant = '{tenant}'")
    rolled = ask(
        f"SELECT sum(events) AS n, sum(source_words) AS words FROM usage_hourly WHERE tenant = '{tenant}'"
    )
    return (raw[0]["n"], raw[0]["words"]), (rolled[0]["n"], rolled[0]["words"])


def test_a_repeated_insert_of_the_same_range_counts_once_in_raw_and_rollup(database, ask, tenant):
    events = [event(tenant, number) for number in range(5)]
    for _ in range(3):
        insert(database, f"{tenant}-0-4", *events)
    assert raw_and_rollup(ask, tenant) == ((5, 50), (5, 50))


def test_two_ranges_with_equal_sums_both_count(database, ask, tenant):
    insert(database, f"{tenant}-0-1", event(tenant, 0), event(tenant, 1))
    insert(database, f"{tenant}-2-3", event(tenant, 2), event(tenant, 3))
    assert raw_and_rollup(ask, tenant) == ((4, 40), (4, 40))


def test_a_repeated_insert_over_two_months_counts_once(database, ask, tenant):
    events = [event(tenant, number, at=NOW_MS + number * HOUR_MS) for number in range(2)]
    for _ in range(2):
        insert(database, f"{tenant}-0-1", *events)
    assert raw_and_rollup(ask, tenant) == ((2, 20), (2, 20))


def test_late_answers_are_counted_by_the_hour(database, ask, tenant):
    late = {"latency_ms": 40_000.0, "sla_ms": 30_000}
    insert(database, f"{tenant}-0-1", event(tenant, 0, **late), event(tenant, 1, **late | {"latency_ms": 9.0}))
    (row,) = ask(f"SELECT sum(late) AS late, sum(events) AS events FROM usage_hourly WHERE tenant = '{tenant}'")
    assert (row["late"], row["events"]) == (1, 2)


def test_an_hour_of_a_device_costs_its_price(database, ask, tenant):
    busy = {"kind": UsageKind.COMPUTE, "device": "t4", "busy_ms": float(HOUR_MS)}
    insert(database, f"{tenant}-0-1", event(tenant, 0, **busy), event(tenant, 1, **busy, market="spot"))
    rows = ask(f"SELECT market, cost FROM cost WHERE tenant = '{tenant}' ORDER BY market")
    assert {row["market"]: round(row["cost"], 6) for row in rows} == {"on_demand": 0.526, "spot": 0.158}


def test_a_device_without_a_price_costs_nothing_and_shows_it(database, ask, tenant):
    insert(database, tenant, event(tenant, 0, kind=UsageKind.COMPUTE, device="abacus", busy_ms=1000.0))
    (row,) = ask(f"SELECT cost, price_per_hour FROM cost WHERE tenant = '{tenant}'")
    assert (row["cost"], row["price_per_hour"]) == (0, 0)


def test_creating_again_changes_nothing_and_a_new_price_holds_from_now_on(database, ask, tenant):
    before = ask("SELECT count() AS prices FROM price_list")
    database.create(EXAMPLE_PRICES)
    assert ask("SELECT count() AS prices FROM price_list") == before
    database.create({**EXAMPLE_PRICES, "cpu/reserved": 9.0})
    insert(database, tenant, event(tenant, 0, kind=UsageKind.COMPUTE, market="reserved", busy_ms=float(HOUR_MS)))
    (row,) = ask(f"SELECT cost FROM cost WHERE tenant = '{tenant}'")
    assert row["cost"] == pytest.approx(EXAMPLE_PRICES["cpu/reserved"])


def test_an_event_id_that_is_no_uuid_is_refused_by_name():
    with pytest.raises(PermanentError) as refused:
        row_of(
            UsageEvent(event_id="seven", kind=UsageKind.BILLED, request_id="r"),
            InboundRecord("t", 0, 0, None, b""),
        )
    assert (refused.value.cause, refused.value.field) == ("bad_event_id", "event_id")


def test_a_query_that_needs_too_much_memory_is_refused(database):
    small = QueryServer(
        [database], Access("127.0.0.1", 0, TOKEN), QueryLimits(seconds=10, rows=1000, megabytes=50)
    )
    numbers = "SELECT arrayJoin(range(3000000)) AS n"
    greedy = f"SELECT count() FROM (SELECT groupArray(toString(n)) FROM ({numbers}) GROUP BY n)"
    with closing(small), pytest.raises(PermanentError, match="memory limit exceeded"):
        AnalyticsClient(f"http://127.0.0.1:{small.port}", TOKEN).query(greedy)


def test_an_interface_that_is_away_is_a_transient_failure():
    with pytest.raises(TransientError):
        AnalyticsClient("http://127.0.0.1:9").query("SELECT 1")

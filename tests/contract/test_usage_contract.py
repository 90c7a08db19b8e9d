"""What `dragoman usage` asks, answered by the embedded engine."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import Database
from producers.cli.usage import By, question
from schemas.events import UsageEvent
from schemas.ids import event_id
from schemas.records import InboundRecord
from schemas.states import UsageKind
from stream_apps.usage_sink.inserting import columns_of
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.rows.usage import row_of
from stream_apps.usage_sink.settings import QueryLimits

TOKEN = "a token of this test"
NOW_MS = round((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)


class Usage:
    """Rows of a tenant of the test's own, and what is said of them."""

    def __init__(self, database: Database, tenant: str) -> None:
        self.database, self.tenant = database, tenant
        self.events: list[UsageEvent] = []

    def billed(self, request: str, words: int, **fields: Any) -> None:
        usual = {"latency_ms": 1000.0, "sla_ms": 30_000}
        self._add(UsageKind.BILLED, request, source_words=words, **usual | fields)

    def computed(self, **fields: Any) -> None:
        self._add(UsageKind.COMPUTE, "", **fields)

    def told(self, by: By = By.TENANT, days: int = 1) -> dict[str, Any]:
        rows = [row_of(event, InboundRecord("u", 0, at, None, b"")) for at, event in enumerate(self.events)]
        self.database.insert("usage_events", columns_of(rows), self.tenant)
        with closing(
            QueryServer([self.database], Access("127.0.0.1", 0, TOKEN), QueryLimits(seconds=10, rows=1000))
        ) as server:
            found = AnalyticsClient(f"http://127.0.0.1:{server.port}", TOKEN).query(question(by, days))
        (row,) = [row for row in found if row["name"] in (self.tenant, f"{self.tenant}-pt")]
        return row

    def _add(self, kind: UsageKind, request: str, **fields: Any) -> None:
        usual: dict[str, Any] = {
            "tenant": self.tenant,
            "source_language": self.tenant,
            "target_language": "pt",
            "at": NOW_MS,
        }
        number = event_id(self.tenant, len(self.events))
        event = UsageEvent(kind=kind, event_id=number, request_id=request, **usual | fields)
        self.events.append(event)


@pytest.fixture
def usage(database, request) -> Usage:
    return Usage(database, request.node.name)


def test_a_correction_adds_words_to_its_request_and_is_no_second_one(usage):
    usage.billed("a", 90)
    usage.billed("a", 10, latency_ms=50_000.0, at=NOW_MS + 60_000)
    usage.billed("b", 100, latency_ms=40_000.0)
    told = usage.told()
    assert (told["requests"], told["words"], told["in_sla"]) == (2, 200, 1)
    # Of the first answers: 1 and 40 s.
    assert (told["p50_seconds"], told["p95_seconds"]) == (40, 40)


@pytest.mark.parametrize("by", [By.TENANT, By.PAIR])
def test_words_that_the_memory_knew_are_those_of_the_first_answers(usage, by):
    usage.billed("a", 90, cached_words=20)
    usage.billed("a", 10, cached_words=500, at=NOW_MS + 60_000)
    usage.billed("b", 100, cached_words=5)
    told = usage.told(by)
    assert (told["words"], told["cached_words"]) == (200, 25)


def test_requests_of_two_tenants_under_one_id_are_two_requests(usage):
    usage.billed("a", 100)
    usage.billed("a", 50, tenant=f"{usage.tenant}-other")
    told = usage.told(By.PAIR)
    assert (told["requests"], told["words"]) == (2, 150)


def test_machine_time_costs_whether_it_led_to_words_or_not(usage):
    usage.billed("a", 100)
    usage.computed(device="t4", busy_ms=3_600_000.0)
    usage.computed(device="t4", busy_ms=3_600_000.0)
    assert usage.told()["cost_usd"] == pytest.approx(2 * 0.526)

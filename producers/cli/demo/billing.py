"""What ClickHouse says of the demo's requests: the usage rows of its run, no others."""

import time
from dataclasses import dataclass
from typing import Any

from connectors.clickhouse.analytics_client import AnalyticsClient
from producers.cli.demo.watch import DemoResults

_SINK_SECONDS = 30.0
_BILLED = "SELECT count() AS found, sum(source_words) AS words FROM usage_events WHERE kind = 'billed'"
_BY_PRIORITY = """
SELECT priority,
       countIf(kind = 'billed') AS requests,
       sumIf(source_words, kind = 'billed') AS words,
       sumIf(cached_words, kind = 'compute') AS cached_words,
       round(sumIf(busy_ms, kind = 'compute') / 1000, 2) AS engine_seconds
FROM usage_events GROUP BY priority ORDER BY priority
"""


@dataclass(frozen=True)
class Bill:
    """Source words billed, US dollars of engine time, and a row per priority."""

    words: int
    cost_usd: float
    by_priority: list[dict[str, Any]]


def billed(analytics: AnalyticsClient, results: DemoResults) -> Bill:
    """The bill, once the sink has caught up. The demo's stack is fresh, so every row is of this run."""
    end = time.monotonic() + _SINK_SECONDS
    while True:
        (row,) = analytics.query(_BILLED)
        if int(row["found"]) >= len(results.results) or time.monotonic() > end:
            break
        time.sleep(0.5)
    (cost,) = analytics.query("SELECT round(sum(cost), 8) AS cost_usd FROM cost")
    return Bill(int(row["words"]), float(cost["cost_usd"]), analytics.query(_BY_PRIORITY))

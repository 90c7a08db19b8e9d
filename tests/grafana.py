"""Put values in the place of Grafana's macros, as its plugins do."""

import re

_DAYS = 3


def asked_of_clickhouse(sql: str) -> str:
    """Return the SQL of a panel for the last days, in minutes."""
    since, until = f"now() - INTERVAL {_DAYS} DAY", "now() + INTERVAL 1 DAY"
    for macro, text in {
        "timeFilter": rf"\1 >= {since} AND \1 <= {until}",
        "dateFilter": rf"\1 >= toDate({since}) AND \1 <= toDate({until})",
        "timeInterval": r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)",
    }.items():
        sql = re.sub(rf"\$__{macro}\((\w+)\)", text, sql)
    assert "$" not in sql, sql
    return sql


def asked_of_prometheus(promql: str) -> str:
    """Return the PromQL of a panel with a window that holds some scrapes."""
    promql = promql.replace("$__rate_interval", "5m")
    assert "$" not in promql, promql
    return promql

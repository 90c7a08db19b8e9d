"""What a panel is: a title, a question to ClickHouse or Prometheus, and how the answer is drawn.

SQL may use the macros of the ClickHouse plugin ($__timeFilter, $__dateFilter, $__timeInterval); a series has a
column `time`, at most one column of text, which names the lines, and one of numbers. PromQL may use
$__rate_interval.
"""

from dataclasses import dataclass
from enum import StrEnum


class Draw(StrEnum):
    """The kinds of panels, by Grafana's names."""

    SERIES = "timeseries"
    STAT = "stat"
    TABLE = "table"
    ALERTS = "alertlist"


@dataclass(frozen=True)
class Panel:
    """One panel. Exactly one of `sql` and `promql` is set, except for the list of alerts, which asks nothing.

    `unit` by Grafana's names (s, percentunit, bytes, currencyUSD, short). `legend` names a line of PromQL by its
    labels. `width` of 24.
    """

    title: str
    draw: Draw
    sql: str = ""
    promql: str = ""
    unit: str = "short"
    legend: str = ""
    width: int = 8


@dataclass(frozen=True)
class Dashboard:
    """A page of panels, drawn from left to right and from top to bottom. `since` as in `now-6h`."""

    uid: str
    title: str
    since: str
    panels: tuple[Panel, ...]


def sql_series(title: str, sql: str, unit: str = "short", width: int = 12) -> Panel:
    """Return lines over time, asked of ClickHouse."""
    return Panel(title, Draw.SERIES, sql=sql, unit=unit, width=width)


def sql_table(title: str, sql: str, width: int = 12) -> Panel:
    """Return a table, asked of ClickHouse."""
    return Panel(title, Draw.TABLE, sql=sql, width=width)


def sql_stat(title: str, sql: str, unit: str = "short", width: int = 6) -> Panel:
    """Return one number, asked of ClickHouse."""
    return Panel(title, Draw.STAT, sql=sql, unit=unit, width=width)


def prom_series(title: str, promql: str, legend: str, unit: str = "short") -> Panel:
    """Return lines over time, asked of Prometheus."""
    return Panel(title, Draw.SERIES, promql=promql, legend=legend, unit=unit)


def prom_stat(title: str, promql: str, unit: str = "short", width: int = 6) -> Panel:
    """Return the newest number, asked of Prometheus."""
    return Panel(title, Draw.STAT, promql=promql, unit=unit, width=width)


def alert_list(title: str) -> Panel:
    """Return the alerts that fire or are about to."""
    return Panel(title, Draw.ALERTS)

"""`usage`: what was translated, how fast, and what it cost, from ClickHouse."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from producers.cli.arguments import AsJson
from producers.cli.output import lines_of, print_json
from producers.cli.target import analytics_client

Row = dict[str, Any]

# Before 1970 ClickHouse's clock begins again at 2106.
_MOST_DAYS = 20_000


class By(StrEnum):
    """What each row of the table is about."""

    TENANT = "tenant"
    PRIORITY = "priority"
    PAIR = "pair"
    POOL = "pool"
    MODEL = "model"
    DAY = "day"


_KEYS = {By.PAIR: "concat(source_language, '-', target_language)", By.DAY: "toString(toDate(at))"}
_HEADER = ("requests", "words", "cached", "p50", "p95", "in SLA", "cost", "per M words")


def usage(
    by: Annotated[By, typer.Option(help="One row for each of these.")] = By.TENANT,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="The last so many days.")] = 30,
    url: Annotated[
        str | None,
        typer.Option(envvar="DRAGOMAN_ANALYTICS_URL", help="ClickHouse's address; the local one by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show requests, words, latency and cost."""
    rows = analytics_client(url).query(question(by, days))
    if as_json:
        print_json(rows)
    elif rows:
        typer.echo(lines_of((by.value, *_HEADER), [_cells(row) for row in rows]))
    else:
        typer.echo(f"nothing was used in the last {days} days", err=True)


def question(by: By, days: int) -> str:
    """Return the SQL for billed words, latency and the cost of machine time of each group, most words first.

    A request counts once, with the latency of its first answer in these days; the words of its corrections are
    added. Words from the translation memory are those of its first answer.
    """
    key, since = _KEYS.get(by, by.value), f"at >= now() - INTERVAL {days} DAY"
    billed = f"""
        SELECT name, count() AS requests, sum(billed_words) AS words,
            sum(first_cached) AS cached_words,
            quantileExact(0.5)(first_ms) / 1000 AS p50_seconds,
            quantileExact(0.95)(first_ms) / 1000 AS p95_seconds,
            countIf(first_ms <= promised_ms) AS in_sla
        FROM (
            SELECT {key} AS name, sum(source_words) AS billed_words, argMin(latency_ms, at) AS first_ms,
                argMin(sla_ms, at) AS promised_ms, argMin(cached_words, at) AS first_cached
            FROM usage_events WHERE kind = 'billed' AND {since} GROUP BY name, tenant, request_id
        ) GROUP BY name"""
    paid = f"SELECT {key} AS name, sum(cost) AS cost_usd FROM cost WHERE {since} GROUP BY name"
    return (
        "SELECT name, requests, words, cached_words, p50_seconds, p95_seconds, in_sla, cost_usd"
        f" FROM ({billed}) AS billed LEFT JOIN ({paid}) AS paid USING (name) ORDER BY words DESC, name"
    )


def _cells(row: Row) -> tuple[str, ...]:
    requests, words = row["requests"], row["words"]
    return (
        row["name"],
        str(requests),
        str(words),
        _share(row["cached_words"], words),
        f"{row['p50_seconds']:.1f} s",
        f"{row['p95_seconds']:.1f} s",
        _share(row["in_sla"], requests),
        f"${row['cost_usd']:.4f}",
        f"${row['cost_usd'] / words * 1e6:.2f}" if words else "-",
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"

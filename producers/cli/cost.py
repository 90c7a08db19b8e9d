"""`cost`: what the books say it cost, and what a volume of words would cost."""

import math
import re
from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from connectors.redis.client import open_state
from connectors.redis.spending import RedisSpending
from deploy.cost.estimate import (
    DAYS_PER_MONTH,
    Fleet,
    MachinesEstimate,
    Volume,
    WordsEstimate,
    cost_of_machines,
    price_of_words,
)
from producers.cli.arguments import AsJson, parse_time_ms
from producers.cli.cost_report import By, Period, question
from producers.cli.errors import CommandError, UsageError
from producers.cli.output import csv_of, lines_of, print_json
from producers.cli.target import analytics_client, redis_settings
from schemas.budgets import Spending
from stream_apps.runtime.process import now_ms
from stream_apps.usage_sink.settings import AnalyticsSection

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="What it cost, and what it would cost, in US dollars.",
)

_DEVICE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BUDGETS = ("tenant", "month", "spent", "budget", "share", "state")
_FIGURES = ("requests", "words", "cost", "price", "margin", "cost_per_million_words")
# Recent enough to be about today's models.
_SPEED = """
    SELECT sum(source_words - least(cached_words, source_words)) AS words, sum(busy_ms) / 1000 AS seconds
    FROM usage_events WHERE kind = 'compute' AND device = '{device}' AND at >= now() - INTERVAL 7 DAY"""


class Format(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command("report")
def report(  # noqa: PLR0913  # each is an option that the user may leave out
    *,
    by: Annotated[
        list[By] | None, typer.Option(help="A column; give it several times for several (tenant, pair ...).")
    ] = None,
    period: Annotated[Period | None, typer.Option(help="One row for each of these, too.")] = None,
    since: Annotated[str, typer.Option(help="From that day on: 30d, or 2026-01-31 (UTC).")] = "30d",
    until: Annotated[str | None, typer.Option(help="Up to the day before that one; else until now.")] = None,
    as_format: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.TABLE,
    url: Annotated[
        str | None,
        typer.Option(envvar="DRAGOMAN_ANALYTICS_URL", help="ClickHouse's address; the local one by default."),
    ] = None,
) -> None:
    """Print what was used, what it cost and what is paid for it, from the books; the dearest first."""
    now, keys = now_ms(), by or ([] if period else [By.TENANT])
    until_ms = None if until is None else parse_time_ms(until, "--until", now)
    sql, columns = question(keys, period, parse_time_ms(since, "--since", now), until_ms)
    rows = analytics_client(url).query(sql)
    header = (*columns, *_FIGURES)
    if as_format is Format.JSON:
        print_json(rows)
    elif as_format is Format.CSV:
        typer.echo(csv_of(header, [[row[name] for name in header] for row in rows]), nl=False)
    elif rows:
        typer.echo(lines_of(header, [_cells(row, columns) for row in rows]))
    else:
        typer.echo("nothing was used in that time", err=True)


@app.command("budgets")
def budgets(as_json: AsJson = False) -> None:
    """Show what tenants have spent of their budgets of this month, as it was measured last."""
    with open_state(redis_settings()) as state:
        found = RedisSpending(state).read()
    if as_json:
        print_json(
            {
                tenant: {**asdict(one), "spent": str(one.spent), "budget": str(one.budget)}
                for tenant, one in found.items()
            }
        )
    elif found:
        ordered = sorted(found.items(), key=lambda one: (-one[1].share, one[0]))
        typer.echo(lines_of(_BUDGETS, [_budget_cells(tenant, one) for tenant, one in ordered]))
    else:
        typer.echo("no budget was measured; set DRAGOMAN_BUDGETS_MONTHLY for the analytics process", err=True)


@app.command("estimate")
def estimate(  # noqa: PLR0913  # as above
    *,
    words: Annotated[int, typer.Option(min=0, help="Words a day.")],
    remembered: Annotated[
        float, typer.Option(min=0, max=1, help="Share that the translation memory knows.")
    ] = 0.0,
    device: Annotated[str | None, typer.Option(help="Also estimate the machines: cpu, t4, v100 ...")] = None,
    words_per_second: Annotated[
        float | None, typer.Option(min=0.001, help="Of one machine; left out, what the books measured in 7 days.")
    ] = None,
    replicas: Annotated[int, typer.Option(min=0, help="Machines while there is work.")] = 2,
    idle_replicas: Annotated[int, typer.Option(min=0, help="Machines while there is none.")] = 0,
    idle_hours: Annotated[float, typer.Option(min=0, max=24, help="Hours of a day without work.")] = 0.0,
    reserved: Annotated[float, typer.Option(min=0, max=1, help="Share of machines that are reserved.")] = 0.0,
    spot: Annotated[float, typer.Option(min=0, max=1, help="Share of machines that are spot.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Estimate a month of 30 days: what the words are sold for, and with --device what the machines cost."""
    settings = AnalyticsSection()
    volume = Volume(words, _decimal(remembered))
    sold = price_of_words(volume, settings.volume_prices)
    machines = None
    if device is not None:
        fleet = Fleet(
            device=device,
            words_per_second=_decimal(_measured(device) if words_per_second is None else words_per_second),
            replicas=replicas,
            idle_replicas=idle_replicas,
            idle_hours=_decimal(idle_hours),
            reserved_share=_decimal(reserved),
            spot_share=_decimal(spot),
        )
        machines = cost_of_machines(volume, fleet, settings.prices)
    if as_json:
        print_json({"words": _plain(sold), "machines": machines and _plain(machines)})
    else:
        typer.echo(lines_of((), _words_rows(volume, sold) + (_machine_rows(machines) if machines else [])))


def _measured(device: str) -> float:
    """Return the words that one machine translated in a second of work. Raises CommandError where none did."""
    if not _DEVICE.fullmatch(device):
        raise UsageError(
            f"--device is {device[:40]!r}, which is no name of a device", "write cpu, t4, l4 or another"
        )
    (row,) = analytics_client(None).query(_SPEED.format(device=device))
    if not row["seconds"] or not row["words"]:
        raise CommandError(f"no {device} has translated in the last 7 days", "give --words-per-second")
    return float(row["words"]) / float(row["seconds"])


def _words_rows(volume: Volume, sold: WordsEstimate) -> list[tuple[str, str]]:
    return [
        ("words a day", f"{volume.words_per_day:,}, of which {volume.new_words_per_day:,.0f} are new"),
        ("price", f"{sold.price_per_thousand} per 1,000 new words (tier {sold.tier:,} words a day)"),
        (f"{DAYS_PER_MONTH} days of words", f"{sold.total:,.2f}"),
    ]


def _machine_rows(found: MachinesEstimate) -> list[tuple[str, str]]:
    per_million = "-" if found.per_million_words is None else f"{found.per_million_words:,.2f}"
    return [
        ("machine hours", f"{found.machine_hours:,.0f}, busy for {found.busy_share:.1%} of them"),
        ("price of an hour", f"{found.price_per_hour:.4f}"),
        (f"{DAYS_PER_MONTH} days of machines", f"{found.total:,.2f}, {per_million} per million words"),
        ("always on, on demand", f"{found.always_on:,.2f}"),
    ]


def _budget_cells(tenant: str, found: Spending) -> tuple[str, ...]:
    refused = "used up, refused" if found.stops else "used up"
    state = refused if found.is_used_up else ""
    return (tenant, found.month, f"{found.spent:,.2f}", f"{found.budget:,.2f}", f"{found.share:.1%}", state)


def _cells(row: dict[str, Any], columns: tuple[str, ...]) -> tuple[str, ...]:
    per_million = row["cost_per_million_words"]
    return (
        *(str(row[name]) for name in columns),
        f"{row['requests']:,}",
        f"{row['words']:,}",
        *(f"{float(row[name]):,.4f}" for name in ("cost", "price", "margin")),
        "-" if per_million is None else f"{float(per_million):,.2f}",
    )


def _plain(found: WordsEstimate | MachinesEstimate) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in asdict(found).items()}


def _decimal(number: float) -> Decimal:
    if not math.isfinite(number):
        raise UsageError(f"{number} is no number to reckon with", "write one such as 0.5")
    return Decimal(str(number))

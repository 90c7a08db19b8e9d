"""`analytics`: hold the books in ClickHouse against each other; make the rollup anew."""

import math
from dataclasses import asdict
from typing import Annotated

import typer

from connectors.clickhouse.database import open_database
from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import scanning
from connectors.kafka.schema_registry import open_codec
from producers.cli.arguments import AsJson, parse_time_ms
from producers.cli.errors import UsageError
from producers.cli.output import print_json, progress_bars
from producers.cli.target import analytics_client, analytics_settings, kafka_settings
from schemas.topics import RESULTS
from stream_apps.runtime.process import now_ms
from stream_apps.usage_sink.rebuild import rebuild_rollup
from stream_apps.usage_sink.reconciliation import Reconciliation, TopicSums, reconcile

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Hold the books in ClickHouse against each other; make the rollups anew.",
)

_TAKE_RECORDS = 500
_MOST_SECONDS = 86_400
Since = Annotated[str, typer.Option(help="How far back: 2h, 7d, or a time such as 2026-01-31T08:00Z.")]
Settled = Annotated[
    float, typer.Option(min=0, max=_MOST_SECONDS, help="Answers of the last so many seconds are left out.")
]


@app.command("reconcile")
def reconcile_books(since: Since = "1d", settled: Settled = 60.0, as_json: AsJson = False) -> None:
    """Compare raw events, requests and rollup with the results topic; exit with 1 where they differ."""
    if math.isnan(settled):
        raise UsageError("--settled is no number", "write seconds such as 60")
    now, settings = now_ms(), kafka_settings()
    topic = TopicSums(open_codec(settings), parse_time_ms(since, "--since", now), now - round(settled * 1000))
    spans = KafkaAdmin(settings).spans([RESULTS], topic.since_ms)
    with progress_bars(is_shown=not as_json) as bars, scanning(settings, spans) as scan:
        for records in scan.until_done(_TAKE_RECORDS):
            topic.add(records)
            bars.show_share("results", scan.share)
    found = reconcile(topic, analytics_client(None).query)
    if as_json:
        print_json({**asdict(found), "is_sound": found.is_sound})
    else:
        typer.echo(lines_of(found))
    if not found.is_sound:
        raise typer.Exit(1)


@app.command("rebuild")
def rebuild(as_json: AsJson = False) -> None:
    """Make the rollups anew from usage_events; the analytics process must be stopped, and catches up then."""
    settings = analytics_settings()
    months: list[int] = []
    database = open_database(settings.dsn.get_secret_value(), settings.cluster)
    try:
        database.create(settings.prices, settings.word_prices)
        differences = rebuild_rollup(database, months.append)
    finally:
        database.close()
    if as_json:
        print_json({"months": months, "hours_that_differ": differences})
    else:
        typer.echo(f"{len(months)} months made anew; {differences} hours differ from the raw events")
    if differences:
        raise typer.Exit(1)


def lines_of(found: Reconciliation) -> str:
    """Write what was compared, and a line for each difference."""
    lines = [f"results topic: {found.topic.requests} requests, {found.topic.words} words"]
    lines += [
        f"{one.books}, tenant {one.tenant}: {one.found.requests} requests, {one.found.words} words; "
        f"the topic says {one.topic.requests} and {one.topic.words}"
        for one in found.differences
    ]
    if found.rollup_hours:
        lines.append(f"usage_hourly differs in {found.rollup_hours} hours; cure: dragoman analytics rebuild")
    if found.is_sound:
        lines.append("usage_events, requests and usage_hourly say the same")
    return "\n".join(lines)

"""`reconcile`: compare requests with results and send again what has no answer."""

from dataclasses import asdict
from typing import Annotated

import typer

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from producers.cli.arguments import AsJson, DryRun, parse_time_ms
from producers.cli.output import print_json, progress_bars
from producers.cli.target import kafka_settings
from stream_apps.repair.reconcile import Reconciler, ReconcileReport
from stream_apps.repair.settings import RepairLimits
from stream_apps.runtime.process import now_ms

Since = Annotated[str, typer.Option(help="How far back: 30m, 2h, 7d, or a time such as 2026-01-31T08:00Z.")]


def reconcile(since: Since, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Send again every request that has no answer and is not being processed any more."""
    since_ms = parse_time_ms(since, "--since", now_ms())
    settings = kafka_settings()
    producer = DurableProducer(settings)
    try:
        reconciler = Reconciler(
            kafka=settings,
            admin=KafkaAdmin(settings),
            producer=producer,
            codec=open_codec(settings),
            limits=RepairLimits().reconcile_limits,
            now_ms=now_ms,
        )
        with progress_bars(is_shown=not as_json) as bars:
            report = reconciler.reconcile(since_ms, bars.show_share, is_dry_run=dry_run)
    finally:
        producer.close()
    if as_json:
        print_json(asdict(report))
    else:
        typer.echo(lines_of_report(report, is_dry_run=dry_run))


def lines_of_report(report: ReconcileReport, *, is_dry_run: bool) -> str:
    """Write one line for each number; trouble is named only where there is some."""
    sent = f"{report.lost} lost, not sent again (dry run)" if is_dry_run else f"{report.redriven} sent again"
    lines = [f"{report.answered} answered", f"{report.on_their_way} being processed", sent]
    if report.given_up:
        lines.append(f"{report.given_up} given up after too many redrives; look for their dead letters")
    if report.unanswerable:
        lines.append(f"{report.unanswerable} that no answer can reach; their dead letters say why")
    return "\n".join(lines)

"""`reconcile`: compares requests with results and sends again what has no answer."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from producers.cli.arguments import AsJson
from producers.cli.errors import UsageError
from producers.cli.target import kafka_settings
from stream_apps.repair.reconcile import OnReadProgress, Reconciler, ReconcileReport
from stream_apps.repair.settings import RepairLimits

_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Since = Annotated[str, typer.Option(help="How far back: 30m, 2h, 7d, or a moment such as 2026-01-31T08:00Z.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what is lost, send nothing.")]


def reconcile(since: Since, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Send again every request that has no answer and is not on its way any more."""
    since_ms = moment_ms(since, time.time())
    settings = kafka_settings()
    producer = DurableProducer(settings)
    try:
        reconciler = Reconciler(
            kafka=settings,
            admin=KafkaAdmin(settings),
            producer=producer,
            codec=open_codec(settings),
            limits=RepairLimits().reconcile_limits,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        with _bars(is_shown=not as_json) as on_progress:
            report = reconciler.reconcile(since_ms, on_progress, is_dry_run=dry_run)
    finally:
        producer.close()
    typer.echo(json.dumps(asdict(report)) if as_json else shown(report, is_dry_run=dry_run))


def moment_ms(since: str, now_seconds: float) -> int:
    """Milliseconds since the epoch of `2h` ago, or of a moment with an offset. Raises UsageError."""
    if ago := _AGO.fullmatch(since):
        return round((now_seconds - float(ago[1]) * _UNIT_SECONDS[ago[2]]) * 1000)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(f"--since {since} is no moment", "write 30m, 2h, 7d or 2026-01-31T08:00Z") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(report: ReconcileReport, *, is_dry_run: bool) -> str:
    """One line for each number that matters."""
    sent = f"{report.lost} lost, not sent again (dry run)" if is_dry_run else f"{report.redriven} sent again"
    rest = (f"{report.answered} answered", f"{report.on_their_way} on their way", sent)
    gone = f"{report.given_up} given up: sent again and again in vain; look for their dead letters"
    unsaid = f"{report.unanswerable} that no answer can reach; dead letters tell why"
    return "\n".join([*rest, *([gone] if report.given_up else []), *([unsaid] if report.unanswerable else [])])


@contextmanager
def _bars(*, is_shown: bool) -> Iterator[OnReadProgress]:
    """A bar on standard error for each part that is read."""
    if not is_shown:
        yield lambda _part, _share: None
        return
    with Progress(console=Console(stderr=True)) as progress:
        tasks = {}

        def watch(part: str, share: float) -> None:
            if part not in tasks:
                tasks[part] = progress.add_task(part, total=1.0)
            progress.update(tasks[part], completed=share)

        yield watch

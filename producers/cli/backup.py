"""`backup`: save the stores, check a backup, bring it back."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import open_database
from connectors.kafka.admin import KafkaAdmin
from connectors.object_files import open_files
from connectors.redis.client import open_state
from deploy.backup import job
from deploy.backup.archive import Manifest
from deploy.backup.job import BackupPart, ObjectsPart, OnPartProgress, rewind_usage
from deploy.backup.state import StatePart
from deploy.backup.usage import UsagePart
from producers.cli.arguments import AsJson
from producers.cli.target import analytics_settings, kafka_settings, object_settings, redis_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Save the stores, check a backup, bring it back.",
)


class PartName(StrEnum):
    """What can be saved by itself."""

    STATE = "state"
    CLICKHOUSE = "clickhouse"
    OBJECTS = "objects"


NewBackup = Annotated[
    str, typer.Argument(help="A folder that is not there yet, or a URL such as s3://bucket/2026-01-31.")
]
SavedBackup = Annotated[str, typer.Argument(help="The folder or URL of a backup.")]
Only = Annotated[list[PartName] | None, typer.Option("--only", help="This part alone; may be given again.")]


@app.command("create")
def create_backup(place: NewBackup, only: Only = None, as_json: AsJson = False) -> None:
    """Save state Redis, ClickHouse and objects while everything runs."""
    with _progress(is_shown=not as_json) as on_progress:
        manifest = job.create(place, _parts(only), on_progress)
    typer.echo(json.dumps(asdict(manifest)) if as_json else _said(place, manifest))


@app.command("verify")
def verify_backup(place: SavedBackup, as_json: AsJson = False) -> None:
    """Read every byte of a backup; exit with 1 where one differs from what was written."""
    with _progress(is_shown=not as_json) as on_progress:
        manifest = job.verify(place, on_progress)
    typer.echo(json.dumps(asdict(manifest)) if as_json else f"sound: {_said(place, manifest)}")


@app.command("restore")
def restore_backup(
    place: SavedBackup,
    only: Only = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite what is there; ClickHouse's tables are emptied first.")
    ] = False,
    rewind: Annotated[
        bool, typer.Option("--rewind-usage", help="Then let the usage sink go on where the restored rows end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a backup, then bring it back. The platform must stand still."""
    with _progress(is_shown=not as_json) as on_progress:
        done = job.restore(place, _parts(only), replace, on_progress)
    if rewind:
        done["usage_sink"] = {"begins": _rewound(place)}
    typer.echo(
        json.dumps(done) if as_json else "\n".join(f"{part}: {_counted(facts)}" for part, facts in done.items())
    )


def _parts(only: Sequence[PartName] | None) -> list[BackupPart]:
    """All that is asked for; nothing connects before its first use."""
    return [_part(name) for name in (only or list(PartName))]


def _part(name: PartName) -> BackupPart:
    match name:
        case PartName.STATE:
            return StatePart(open_state(redis_settings()))
        case PartName.CLICKHOUSE:
            analytics = analytics_settings()
            dsn = analytics.dsn.get_secret_value()
            return UsagePart(AnalyticsClient(analytics.url), lambda: open_database(dsn))
        case PartName.OBJECTS:
            return ObjectsPart(open_files(object_settings()))


def _rewound(place: str) -> dict[int, int]:
    facts = job.facts_of(place, PartName.CLICKHOUSE)
    return rewind_usage(KafkaAdmin(kafka_settings()), facts["last_offsets"])


def _said(place: str, manifest: Manifest) -> str:
    return f"{place}: {manifest.files} files, {manifest.size / 1e6:.1f} MB"


def _counted(facts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


@contextmanager
def _progress(is_shown: bool) -> Iterator[OnPartProgress]:
    """A bar for each part on standard error, or nothing."""
    if not is_shown:
        yield lambda _part, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def show(part: str, done: int, total: int | None) -> None:
            if part not in tasks:
                tasks[part] = progress.add_task(part, total=total)
            progress.update(tasks[part], completed=done)

        yield show

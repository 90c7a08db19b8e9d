"""`backup`: save the stores, check a backup, restore it."""

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import open_database
from connectors.kafka.admin import KafkaAdmin
from connectors.object_files import open_files
from connectors.redis.client import open_state
from deploy.backup import job
from deploy.backup.archive import Manifest
from deploy.backup.job import BackupPart, ObjectsPart, rewind_usage
from deploy.backup.state import StatePart
from deploy.backup.tables import TablesPart
from deploy.backup.usage import UsagePart
from producers.cli.arguments import AsJson
from producers.cli.errors import CommandError, UsageError
from producers.cli.output import print_json, progress_bars
from producers.cli.target import analytics_settings, kafka_settings, object_settings, redis_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Save the stores, check a backup, restore it.",
)


class PartName(StrEnum):
    """A store that can be saved by itself."""

    STATE = "state"
    CLICKHOUSE = "clickhouse"
    OBJECTS = "objects"
    TABLES = "tables"


NewBackup = Annotated[
    str, typer.Argument(help="A folder that does not exist yet, or a URL such as s3://bucket/2026-01-31.")
]
SavedBackup = Annotated[str, typer.Argument(help="The folder or URL of a backup.")]
Only = Annotated[list[PartName] | None, typer.Option("--only", help="This part alone; may be given again.")]


@app.command("create")
def create_backup(location: NewBackup, only: Only = None, as_json: AsJson = False) -> None:
    """Save state Redis, ClickHouse, objects, accounts and glossaries while everything runs."""
    with progress_bars(is_shown=not as_json) as bars:
        manifest = job.create(location, _parts(only), bars.show_count)
    if as_json:
        print_json(asdict(manifest))
    else:
        typer.echo(_summary(location, manifest))


@app.command("verify")
def verify_backup(location: SavedBackup, as_json: AsJson = False) -> None:
    """Read every byte of a backup; exit with 1 where one differs from what was written."""
    with progress_bars(is_shown=not as_json) as bars:
        manifest = job.verify(location, bars.show_count)
    if as_json:
        print_json(asdict(manifest))
    else:
        typer.echo(f"sound: {_summary(location, manifest)}")


@app.command("restore")
def restore_backup(
    location: SavedBackup,
    only: Only = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite what is there; ClickHouse's tables are emptied first.")
    ] = False,
    rewind: Annotated[
        bool, typer.Option("--rewind-usage", help="Then let the usage sink go on where the restored rows end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a backup, then restore it. The platform must be stopped."""
    if rewind and only and PartName.CLICKHOUSE not in only:
        raise UsageError(
            "--rewind-usage goes on behind the rows of ClickHouse, which --only leaves out",
            "add --only clickhouse, or leave out --rewind-usage",
        )
    with progress_bars(is_shown=not as_json) as bars:
        done = job.restore(location, _parts(only), replace, bars.show_count)
    if rewind:
        if done[PartName.CLICKHOUSE].get("sink_has_gone_on"):
            raise CommandError(
                "the usage sink has gone on since this backup was restored, and rewound it would count rows twice",
                "leave out --rewind-usage, or restore all of ClickHouse anew with --replace",
            )
        done["usage_sink"] = {"begins": _rewound(location)}
    if as_json:
        print_json(done)
    else:
        typer.echo("\n".join(f"{part}: {_facts_line(facts)}" for part, facts in done.items()))


def _parts(only: Sequence[PartName] | None) -> list[BackupPart]:
    """Return the chosen parts, each once, all by default; none connects before its first use."""
    return [_part(name) for name in dict.fromkeys(only or PartName)]


def _part(name: PartName) -> BackupPart:
    match name:
        case PartName.STATE:
            return StatePart(open_state(redis_settings()))
        case PartName.CLICKHOUSE:
            analytics = analytics_settings()
            dsn = analytics.dsn.get_secret_value()
            client = AnalyticsClient(analytics.url, analytics.read_token())
            return UsagePart(client, lambda: open_database(dsn, analytics.cluster))
        case PartName.OBJECTS:
            return ObjectsPart(open_files(object_settings()))
        case PartName.TABLES:
            return TablesPart(kafka_settings())


def _rewound(location: str) -> dict[int, int]:
    facts = job.facts_of(location, PartName.CLICKHOUSE)
    return rewind_usage(KafkaAdmin(kafka_settings()), facts["last_offsets"])


def _summary(location: str, manifest: Manifest) -> str:
    return f"{location}: {manifest.files} files, {manifest.size / 1e6:.1f} MB"


def _facts_line(facts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())

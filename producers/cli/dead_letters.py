"""The options that choose letters, the same for every command.

`dead-letters list|show|redrive|drop`.
"""

import inspect
import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any

import typer

from connectors.kafka.partition_reader import RecordLookup
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from connectors.object_store import open_objects
from producers.cli.arguments import AsJson, moment_ms
from producers.cli.dead_letter_output import (
    dead_letter_json,
    lines_of_dead_letter,
    plan_line,
    refusals_of,
    report_json,
    table_of,
    value_of,
)
from producers.cli.errors import CommandError, UsageError
from producers.cli.output import progress_bars
from producers.cli.target import kafka_settings, object_settings
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary
from stream_apps.redrive.plans import (
    CommitRecords,
    RedrivePlan,
    RedrivePlanner,
    RedriveReport,
    carry_out,
    groups_of,
)
from stream_apps.redrive.sources import KafkaSources, read_answers, read_dead_letters

_Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Letters by id.")]
_OPTIONS: dict[str, Any] = {
    "stage": Annotated[str | None, typer.Option(help="intake, inference, assembly, status or usage_sink.")],
    "cause": Annotated[str | None, typer.Option(help="The stable code of what was wrong.")],
    "tenant": Annotated[str | None, typer.Option(help="Whose requests.")],
    "request": Annotated[str | None, typer.Option(help="Of one request, by its id.")],
    "topic": Annotated[str | None, typer.Option(help="Where the records stood.")],
    "since": Annotated[str | None, typer.Option(help="Failed then or later: 90m, 12h, 7d ago, or ISO 8601.")],
    "until": Annotated[str | None, typer.Option(help="Failed before then.")],
    "limit": Annotated[int | None, typer.Option(min=1, help="The oldest so many of them.")],
}

All = Annotated[bool, typer.Option("--all", help="Every open letter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]


def with_filter(command: Callable[..., None]) -> Callable[..., None]:
    """The command with ids and options in the place of its parameter `chosen`."""

    @wraps(command)
    def run(**given: Any) -> None:
        named = {name: given.pop(name) for name in ("ids", *_OPTIONS)}
        command(chosen=_filter(**named), **given)

    own = inspect.signature(command).parameters.values()
    kinds = {"ids": _Ids, **_OPTIONS, **{one.name: one.annotation for one in own if one.name != "chosen"}}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_default(command, name), annotation=kind)
        for name, kind in kinds.items()
    ]
    # Typer reads both.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # any function takes one
    run.__annotations__ = kinds
    return run


def check_is_narrow(chosen: DeadLetterFilter, everything: bool) -> None:
    """All letters are meant only where that is said. Raises UsageError."""
    if chosen.is_open and not everything:
        raise UsageError("no letters are named", "name their ids, give a filter, or say --all")


def _filter(ids: list[str] | None, since: str | None, until: str | None, **others: Any) -> DeadLetterFilter:
    now = datetime.now(UTC)
    return DeadLetterFilter(
        ids=tuple(ids or ()),
        since_ms=None if since is None else moment_ms(since, now),
        until_ms=None if until is None else moment_ms(until, now),
        **others,
    )


def _default(command: Callable[..., None], name: str) -> Any:
    parameter = inspect.signature(command).parameters.get(name)
    return parameter.default if parameter else None


# One for the whole platform: starting it undoes what a killed run left open, and fences one that still runs.
_TRANSACTIONAL_ID = "dead_letters"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Look at what could not be processed; send it again, or give it up.",
)


@app.command("list")
@with_filter
def list_dead_letters(chosen: DeadLetterFilter, as_json: AsJson = False) -> None:
    """Print the open letters, the oldest first; nothing of what was sent."""
    kafka = kafka_settings()
    with progress_bars(is_shown=not as_json) as track:
        read = read_dead_letters(kafka, open_codec(kafka), chosen.matches, track)
    dead_letters = read.oldest_first()[: chosen.limit]
    if as_json:
        typer.echo(json.dumps([asdict(dead_letter) for dead_letter in dead_letters]))
    elif dead_letters:
        typer.echo(table_of(dead_letters))
    unreadable = f"; {read.unreadable} records are no letters" if read.unreadable else ""
    typer.echo(f"{len(dead_letters)} open letters{unreadable}", err=True)


@app.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `dead-letters list` prints it.")],
    show_value: Annotated[bool, typer.Option("--show-value", help="Also what was sent: texts of users.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print everything of one letter; what was sent only with --show-value."""
    kafka, chosen = kafka_settings(), DeadLetterFilter(ids=(dead_letter_id,))
    codec = open_codec(kafka)
    with progress_bars(is_shown=not as_json) as track:
        (summary,) = _found(chosen, read_dead_letters(kafka, codec, chosen.matches, track).oldest_first())
    with closing(RecordLookup(kafka)) as lookup:
        sources = KafkaSources(lookup, codec, {}, open_objects(object_settings()))
        dead_letter = sources.dead_letter(summary)
        value = value_of(sources.original(summary), codec, kafka.plan) if show_value else None
    shown = dead_letter_json(dead_letter, value)
    typer.echo(json.dumps(shown) if as_json else lines_of_dead_letter(shown))


@app.command()
@with_filter
def redrive(
    chosen: DeadLetterFilter, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Send again what failed and close its letters, in one Kafka transaction.

    A request is answered with a new version. A failed sentence is translated again, with all others of its
    request, and leads to a corrected version of the result. Anything else is sent to its topic as it was.
    """
    check_is_narrow(chosen, everything)
    kafka = kafka_settings()
    commit, codec = _commit(kafka, dry_run), open_codec(kafka)
    with progress_bars(is_shown=not as_json) as track, closing(RecordLookup(kafka)) as lookup:
        wanted = read_dead_letters(kafka, codec, lambda one: one.is_sentence or chosen.matches(one), track)
        dead_letters = wanted.oldest_first()
        groups = groups_of(_found(chosen, dead_letters), dead_letters)
        requests = {dead_letter.request_id for group in groups for dead_letter in group if dead_letter.request_id}
        answers = read_answers(kafka, codec, requests, track)
        planner = _planner(kafka, KafkaSources(lookup, codec, answers, open_objects(object_settings())))
        report = carry_out(track(groups, "sending again"), planner.plan, commit)
    _tell(report, "redriven", dry_run=dry_run, as_json=as_json)


@app.command()
@with_filter
def drop(
    chosen: DeadLetterFilter, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Close letters without sending anything: what they speak of is given up."""
    check_is_narrow(chosen, everything)
    kafka = kafka_settings()
    commit = _commit(kafka, dry_run)
    with progress_bars(is_shown=not as_json) as track:
        dead_letters = _found(
            chosen, read_dead_letters(kafka, open_codec(kafka), chosen.matches, track).oldest_first()
        )
        report = carry_out(track([[dead_letter] for dead_letter in dead_letters], "dropping"), RedrivePlan, commit)
    _tell(report, "dropped", dry_run=dry_run, as_json=as_json)


def _found(chosen: DeadLetterFilter, dead_letters: Sequence[DeadLetterSummary]) -> list[DeadLetterSummary]:
    """Those that are meant. Raises CommandError for an id that no open letter has."""
    found = chosen.chosen(dead_letters)
    unknown = set(chosen.ids) - {dead_letter.dead_letter_id for dead_letter in dead_letters}
    if unknown:
        raise CommandError(f"no open letter is {', '.join(sorted(unknown))}", "see: dragoman dead-letters list")
    return found


def _commit(kafka: KafkaSettings, dry_run: bool) -> CommitRecords:
    """Opened before anything is read: what an earlier run has sent is then committed, or will never be."""
    if dry_run:
        return lambda _records: None
    producer = TransactionalProducer(kafka, _TRANSACTIONAL_ID)
    return lambda records: producer.commit(records, [])


def _planner(kafka: KafkaSettings, sources: KafkaSources) -> RedrivePlanner:
    return RedrivePlanner(
        sources,
        sources.codec,
        WireFormat(sources.codec, kafka.batch_partitions, kafka.max_message_bytes),
        IntakeLimits().batch,
        round(time.time() * 1000),
    )


def _tell(report: RedriveReport, done: str, *, dry_run: bool, as_json: bool) -> None:
    """Raises CommandError where letters stay open."""
    if as_json:
        typer.echo(json.dumps({**report_json(report), "dry_run": dry_run}))
    else:
        for plan in report.plans if dry_run else ():
            typer.echo(plan_line(plan))
        would = "would be " if dry_run else ""
        typer.echo(f"{len(report.closed)} letters {would}{done}, {report.sent} records {would}sent", err=True)
    for line in refusals_of(report):
        typer.echo(line, err=True)
    if report.refused:
        raise CommandError(f"{len(report.refused)} letters stay open", "the lines above say why")

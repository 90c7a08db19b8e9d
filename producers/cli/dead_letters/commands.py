"""`dead-letters list|show|redrive|drop`."""

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from connectors.kafka.record_lookup import RecordLookup
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from connectors.objects.object_store import open_objects
from producers.cli.dead_letters.filters import DeadLetterFilter
from producers.cli.dead_letters.options import All, DryRun, check_is_narrow, with_filter
from producers.cli.dead_letters.plans import RedrivePlan, RedrivePlanner, groups_of
from producers.cli.dead_letters.progress import progress_bars
from producers.cli.dead_letters.run import CommitRecords, RedriveReport, carry_out
from producers.cli.dead_letters.shown import (
    dead_letter_json,
    lines_of_dead_letter,
    plan_line,
    refusals_of,
    report_json,
    table_of,
    value_of,
)
from producers.cli.dead_letters.sources import KafkaSources, read_answers, read_dead_letters
from producers.cli.dead_letters.summary import DeadLetterSummary
from producers.cli.failures import CommandError
from producers.cli.options import AsJson
from producers.cli.running import kafka_settings, object_settings
from stream_apps.intake.outputs import WireFormat
from stream_apps.intake.settings import IntakeLimits

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
def list_letters(chosen: DeadLetterFilter, as_json: AsJson = False) -> None:
    """Print the open letters, the oldest first; nothing of what was sent."""
    kafka = kafka_settings()
    with progress_bars(is_shown=not as_json) as track:
        read = read_dead_letters(kafka, open_codec(kafka), chosen.matches, track)
    letters = read.oldest_first()[: chosen.limit]
    if as_json:
        typer.echo(json.dumps([asdict(letter) for letter in letters]))
    elif letters:
        typer.echo(table_of(letters))
    unreadable = f"; {read.unreadable} records are no letters" if read.unreadable else ""
    typer.echo(f"{len(letters)} open letters{unreadable}", err=True)


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `dead-letters list` prints it.")],
    show_value: Annotated[bool, typer.Option("--show-value", help="Also what was sent: texts of users.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print everything of one letter; what was sent only with --show-value."""
    kafka, chosen = kafka_settings(), DeadLetterFilter(ids=(letter_id,))
    codec = open_codec(kafka)
    with progress_bars(is_shown=not as_json) as track:
        (summary,) = _found(chosen, read_dead_letters(kafka, codec, chosen.matches, track).oldest_first())
    with closing(RecordLookup(kafka)) as lookup:
        sources = KafkaSources(lookup, codec, {}, open_objects(object_settings()))
        letter = sources.letter(summary)
        value = value_of(sources.original(summary), codec, kafka.plan) if show_value else None
    shown = dead_letter_json(letter, value)
    typer.echo(json.dumps(shown) if as_json else lines_of_dead_letter(shown))


@app.command()
@with_filter
def redrive(chosen: DeadLetterFilter, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Send again what failed and close its letters, in one Kafka transaction.

    A request is answered with a new version. A failed sentence is translated again, with all others of its
    request, and leads to a corrected version of the result. Anything else is sent to its topic as it was.
    """
    check_is_narrow(chosen, everything)
    kafka = kafka_settings()
    commit, codec = _commit(kafka, dry_run), open_codec(kafka)
    with progress_bars(is_shown=not as_json) as track, closing(RecordLookup(kafka)) as lookup:
        wanted = read_dead_letters(kafka, codec, lambda one: one.is_sentence or chosen.matches(one), track)
        letters = wanted.oldest_first()
        groups = groups_of(_found(chosen, letters), letters)
        requests = {letter.request_id for group in groups for letter in group if letter.request_id}
        answers = read_answers(kafka, codec, requests, track)
        planner = _planner(kafka, KafkaSources(lookup, codec, answers, open_objects(object_settings())))
        report = carry_out(track(groups, "sending again"), planner.plan, commit)
    _tell(report, "redriven", dry_run=dry_run, as_json=as_json)


@app.command()
@with_filter
def drop(chosen: DeadLetterFilter, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Close letters without sending anything: what they speak of is given up."""
    check_is_narrow(chosen, everything)
    kafka = kafka_settings()
    commit = _commit(kafka, dry_run)
    with progress_bars(is_shown=not as_json) as track:
        letters = _found(chosen, read_dead_letters(kafka, open_codec(kafka), chosen.matches, track).oldest_first())
        report = carry_out(track([[letter] for letter in letters], "dropping"), RedrivePlan, commit)
    _tell(report, "dropped", dry_run=dry_run, as_json=as_json)


def _found(chosen: DeadLetterFilter, letters: Sequence[DeadLetterSummary]) -> list[DeadLetterSummary]:
    """Those that are meant. Raises CommandError for an id that no open letter has."""
    found = chosen.chosen(letters)
    unknown = set(chosen.ids) - {letter.dead_letter_id for letter in letters}
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

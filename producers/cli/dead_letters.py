"""`dead-letters list|show|redrive|drop`: look at what could not be processed; send it again, or give it up.

What was sent stays hidden unless it is asked for.
"""

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from typing import Annotated, Any

import typer

from connectors.kafka.schema_registry import open_codec
from connectors.object_store import open_objects
from producers.cli.arguments import AsJson, DryRun, parse_time_ms
from producers.cli.errors import CommandError, UsageError
from producers.cli.output import Json, lines_of, print_json, progress_bars, time_text
from producers.cli.target import kafka_settings, object_settings
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import MESSAGES, DeadLetter
from schemas.records import InboundRecord
from schemas.topics import TopicPlan, catalogue
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary
from stream_apps.redrive.plans import RedrivePlan
from stream_apps.redrive.redrive import DeadLetterAdmin, RedriveReport
from stream_apps.redrive.sources import Track
from stream_apps.runtime.process import now_ms

_Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Dead letters by id.")]
_OPTIONS: dict[str, Any] = {
    "stage": Annotated[str | None, typer.Option(help="intake, inference, assembly or usage_sink.")],
    "cause": Annotated[str | None, typer.Option(help="The stable code of what was wrong.")],
    "tenant": Annotated[str | None, typer.Option(help="Those of one tenant's requests.")],
    "request": Annotated[str | None, typer.Option(help="Those of one request, by its id.")],
    "topic": Annotated[str | None, typer.Option(help="The topic of the records that failed.")],
    "since": Annotated[str | None, typer.Option(help="Failed then or later: 90m, 12h, 7d ago, or ISO 8601.")],
    "until": Annotated[str | None, typer.Option(help="Failed before then.")],
    "limit": Annotated[int | None, typer.Option(min=1, help="Only so many of them, the oldest.")],
}
All = Annotated[bool, typer.Option("--all", help="Every open dead letter.")]

_HEADER = ("id", "failed at", "stage", "cause", "tenant", "request", "sentence", "attempt", "record")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Look at what could not be processed; send it again, or give it up.",
)


def with_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the ids and options that choose dead letters, in place of its parameter `wanted`."""

    @wraps(command)
    def run(**given: Any) -> None:
        named = {name: given.pop(name) for name in ("ids", *_OPTIONS)}
        command(wanted=_filter(**named), **given)

    own = inspect.signature(command).parameters
    kinds = {"ids": _Ids, **_OPTIONS, **{name: one.annotation for name, one in own.items() if name != "wanted"}}
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=own[name].default if name in own else None,
            annotation=kind,
        )
        for name, kind in kinds.items()
    ]
    # Typer reads both.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # any function takes one
    run.__annotations__ = kinds
    return run


@app.command("list")
@with_filter
def list_dead_letters(wanted: DeadLetterFilter, as_json: AsJson = False) -> None:
    """Print the open dead letters, the oldest first; nothing of what was sent."""
    with progress_bars(is_shown=not as_json) as bars:
        found = _admin(bars.track).read(wanted.matches)
    dead_letters = found.oldest_first()[: wanted.limit]
    if as_json:
        print_json([asdict(dead_letter) for dead_letter in dead_letters])
    elif dead_letters:
        typer.echo(table_of(dead_letters))
    unreadable = f"; {found.unreadable} records are no dead letters" if found.unreadable else ""
    typer.echo(f"{len(dead_letters)} open dead letters{unreadable}", err=True)


@app.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `dead-letters list` prints it.")],
    show_value: Annotated[bool, typer.Option("--show-value", help="Also what was sent: texts of users.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print everything of one dead letter; what was sent only with --show-value."""
    with progress_bars(is_shown=not as_json) as bars:
        admin = _admin(bars.track)
        dead_letter, original = admin.show(dead_letter_id, with_original=show_value)
    value = None if original is None else value_of(original, admin.codec, admin.kafka.plan)
    shown = dead_letter_json(dead_letter, value)
    if as_json:
        print_json(shown)
    else:
        typer.echo(lines_of_dead_letter(shown))


@app.command()
@with_filter
def redrive(
    wanted: DeadLetterFilter, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Send again what failed and close its dead letters, in one Kafka transaction.

    A request is answered with a new version. A failed sentence is translated again, with all others of its
    request, and leads to a corrected version of the result. Anything else is sent to its topic as it was.
    """
    _check_is_narrow(wanted, everything)
    with progress_bars(is_shown=not as_json) as bars:
        objects = open_objects(object_settings())
        report = _admin(bars.track).redrive(wanted, objects, CuttingLimits().batch, is_dry_run=dry_run)
    _print_report(report, "redriven", dry_run=dry_run, as_json=as_json)


@app.command()
@with_filter
def drop(
    wanted: DeadLetterFilter, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Close dead letters without sending anything: what they are about is given up."""
    _check_is_narrow(wanted, everything)
    with progress_bars(is_shown=not as_json) as bars:
        report = _admin(bars.track).drop(wanted, is_dry_run=dry_run)
    _print_report(report, "dropped", dry_run=dry_run, as_json=as_json)


def table_of(dead_letters: Sequence[DeadLetterSummary]) -> str:
    """Write one line for each dead letter."""
    return lines_of(_HEADER, [_cells(dead_letter) for dead_letter in dead_letters])


def dead_letter_json(dead_letter: DeadLetter, shown_value: object) -> Json:
    """Return everything of one dead letter: the size of its value, and `shown_value` where that is not None."""
    fields = asdict(dead_letter) | {
        "key": _text(dead_letter.key),
        "headers": {name: _text(value) for name, value in dead_letter.headers.items()},
        "value_bytes": None if dead_letter.value is None else len(dead_letter.value),
        "failed_at": time_text(dead_letter.failed_at),
        "timestamp": time_text(dead_letter.timestamp),
    }
    del fields["value"]
    return fields if shown_value is None else {**fields, "value": shown_value}


def value_of(original: InboundRecord, codec: Codec, plan: TopicPlan) -> object:
    """Decode the value as its topic's message; return hexadecimal digits where that is impossible."""
    kinds = {topic.name: topic.message for topic in catalogue(plan)}
    try:
        return dict(codec.decode(original.value, MESSAGES[kinds[original.topic]], original.headers).to_datum())
    except (PermanentError, KeyError):
        return (original.value or b"").hex()


def lines_of_dead_letter(shown: Json) -> str:
    """Write one line for each field that has a value."""
    rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in shown.items()]
    return lines_of((), [row for row in rows if row[1] != "null"])


def plan_line(plan: RedrivePlan) -> str:
    """Say which dead letters a plan closes, and which version of the answer it leads to."""
    ids = ", ".join(dead_letter.dead_letter_id for dead_letter in plan.dead_letters)
    return f"{ids}: version {plan.version}" if plan.version else ids


def report_json(report: RedriveReport) -> Json:
    """Return the outcome for each dead letter."""
    return {
        "sent": report.sent,
        "closed": [dead_letter.dead_letter_id for dead_letter in report.closed],
        "versions": {
            str(plan.dead_letters[0].job_key): plan.version for plan in report.plans if plan.version is not None
        },
        "refused": [
            {"dead_letter_id": dead_letter.dead_letter_id, "cause": error.cause, "message": error.message}
            for dead_letter, error in report.refused
        ],
    }


def refusal_lines(report: RedriveReport) -> list[str]:
    """Write one line for each dead letter that stays open, with its cure."""
    return [
        f"{dead_letter.dead_letter_id}: {error.message}{f'; {error.cure}' if error.cure else ''}"
        for dead_letter, error in report.refused
    ]


def _filter(ids: list[str] | None, since: str | None, until: str | None, **others: Any) -> DeadLetterFilter:
    at_ms = now_ms()
    return DeadLetterFilter(
        ids=tuple(ids or ()),
        since_ms=None if since is None else parse_time_ms(since, "--since", at_ms),
        until_ms=None if until is None else parse_time_ms(until, "--until", at_ms),
        **others,
    )


def _check_is_narrow(wanted: DeadLetterFilter, everything: bool) -> None:
    """Refuse to take an empty filter for all dead letters, unless --all says so. Raises UsageError."""
    if wanted.means_all and not everything:
        raise UsageError("no dead letters are named", "name their ids, give a filter, or say --all")


def _admin(track: Track) -> DeadLetterAdmin:
    kafka = kafka_settings()
    return DeadLetterAdmin(kafka, open_codec(kafka), track, now_ms, RequestLimits().bulk_words)


def _print_report(report: RedriveReport, done: str, *, dry_run: bool, as_json: bool) -> None:
    """Print the outcome. Raises CommandError where dead letters stay open."""
    if as_json:
        print_json({**report_json(report), "dry_run": dry_run})
    else:
        for plan in report.plans if dry_run else ():
            typer.echo(plan_line(plan))
        would = "would be " if dry_run else ""
        typer.echo(f"{len(report.closed)} dead letters {would}{done}, {report.sent} records {would}sent", err=True)
    for line in refusal_lines(report):
        typer.echo(line, err=True)
    if report.refused:
        raise CommandError(f"{len(report.refused)} dead letters stay open", "the lines above say why")


def _cells(dead_letter: DeadLetterSummary) -> tuple[str, ...]:
    return (
        dead_letter.dead_letter_id,
        time_text(dead_letter.failed_at),
        dead_letter.stage,
        dead_letter.cause,
        dead_letter.tenant or "-",
        dead_letter.request_id or "-",
        f"{dead_letter.batch_number}/{dead_letter.segment}" if dead_letter.is_sentence else "-",
        str(dead_letter.attempt),
        dead_letter.coordinates,
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")

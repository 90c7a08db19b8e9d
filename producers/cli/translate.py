"""`translate`, `submit`, `result`, `cancel`, `erase`: texts through the HTTP interface of a running platform."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from producers.cli.api import POLLS_FOR_ACCEPTED, Api, text_of, time_left, wait_for
from producers.cli.arguments import AsJson, Tenant, Url
from producers.cli.errors import CommandError, UsageError
from producers.cli.output import Json, ProgressBars, print_json, progress_bars
from producers.cli.target import open_api
from producers.cli.wishes import (
    Callback,
    Deadline,
    EngineOptions,
    FilterOptions,
    GlossaryOption,
    KeptWords,
    Labels,
    LatePolicy,
    PriorityOption,
    Wishes,
)
from schemas.states import ResultStatus

JobId = Annotated[str, typer.Argument(metavar="ID", help="As `dragoman submit` printed it.")]
From = Annotated[str, typer.Option("--from", help="Source language (BCP-47), or auto.")]
To = Annotated[str, typer.Option("--to", help="Target language (BCP-47).")]
FormatOption = Annotated[
    Literal["text", "html", "xml"],
    typer.Option("--format", help="What the text is: the tags of html and xml come back as they were."),
]
OutputFile = Annotated[Path | None, typer.Option(help="Write the translation to this file.")]
Wait = Annotated[bool, typer.Option("--wait", help="Show the progress and wait for the translation.")]
WaitForEnd = Annotated[bool, typer.Option("--wait", help="Until the job is finished, one way or the other.")]

# Polls of a second each until a job that the user named counts as unknown.
_POLLS_FOR_NAMED = 2


def translate(  # noqa: PLR0913, PLR0917  # one parameter per option
    text: Annotated[str, typer.Argument(help="The text, or - to read it from standard input.")],
    target: To,
    source: From = "auto",
    priority: PriorityOption = "standard",
    glossary: GlossaryOption = None,
    text_format: FormatOption = "text",
    do_not_translate: KeptWords = None,
    label: Labels = None,
    callback: Callback = None,
    deadline: Deadline = None,
    late_policy: LatePolicy = None,
    filter_option: FilterOptions = None,
    engine_option: EngineOptions = None,
    tenant: Tenant = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Translate a text and print it."""
    wishes = Wishes(
        priority, glossary, do_not_translate, label, callback, deadline, late_policy, filter_option, engine_option
    )
    body = _submission(_from_stdin() if text == "-" else text, source, target, text_format, wishes)
    with open_api(url, tenant) as api:
        job_id = api.submit(body)["job_id"]
        job = wait_for(api, job_id, lambda _job: None, POLLS_FOR_ACCEPTED)
    _show(job, None, as_json)


def submit(  # noqa: PLR0913, PLR0917  # one parameter per option
    file: Annotated[Path, typer.Argument(help="A text file in UTF-8.")],
    target: To,
    source: From = "auto",
    priority: PriorityOption = "standard",
    glossary: GlossaryOption = None,
    text_format: FormatOption = "text",
    do_not_translate: KeptWords = None,
    label: Labels = None,
    callback: Callback = None,
    deadline: Deadline = None,
    late_policy: LatePolicy = None,
    filter_option: FilterOptions = None,
    engine_option: EngineOptions = None,
    tenant: Tenant = None,
    url: Url = None,
    wait: Wait = False,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Send the text of a file; prints the job's id, or with --wait its translation."""
    if output and not wait:
        raise UsageError("--output needs the translation", "add --wait")
    wishes = Wishes(
        priority, glossary, do_not_translate, label, callback, deadline, late_policy, filter_option, engine_option
    )
    body = _submission(_read(file), source, target, text_format, wishes)
    with open_api(url, tenant) as api:
        accepted = api.submit(body)
        if not wait:
            _show_accepted(accepted, as_json)
            return
        job = _wait_with_bar(api, accepted["job_id"], as_json, POLLS_FOR_ACCEPTED)
    _show(job, output, as_json)


def result(  # noqa: PLR0913, PLR0917  # one parameter per option
    job_id: JobId,
    tenant: Tenant = None,
    url: Url = None,
    wait: Wait = False,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Print the translation of a job; while there is none, say how far it is and exit with 1."""
    with open_api(url, tenant) as api:
        job = _wait_with_bar(api, job_id, as_json, _POLLS_FOR_NAMED) if wait else api.job(job_id)
    if job["is_finished"] or as_json:
        _show(job, output, as_json)
        return
    state = f"{job['stage'].lower()}, {job['progress']}%"
    left = time_left(job)
    raise CommandError(
        f"not finished: {state}{', ' + left if left else ''}",
        f"wait for it with: dragoman result {job_id} --wait",
    )


def cancel(
    job_id: JobId, tenant: Tenant = None, url: Url = None, wait: WaitForEnd = False, as_json: AsJson = False
) -> None:
    """End a job that is not finished: its waiting work is skipped, its answer is CANCELLED."""
    with open_api(url, tenant) as api:
        job = api.cancel(job_id)
        if wait:
            job = wait_for(api, job_id, lambda _job: None, _POLLS_FOR_NAMED)
    if as_json:
        print_json(job)
    if job["is_finished"]:
        _check_cancelled(job)
    if not as_json:
        typer.echo("cancelled" if job["is_finished"] else "cancellation requested", err=True)


def erase(job_id: JobId, tenant: Tenant = None, url: Url = None, as_json: AsJson = False) -> None:
    """Erase all texts and files of a job; one that is not finished is cancelled. What was billed stays."""
    with open_api(url, tenant) as api:
        job = api.erase(job_id)
    if as_json:
        print_json(job)
    else:
        typer.echo("erased already" if job["erased_at"] else "erasure requested", err=True)


def _submission(text: str, source: str, target: str, text_format: str, wishes: Wishes) -> Json:
    marked = {} if text_format == "text" else {"format": text_format}
    wished = replace(wishes, now_ms=round(time.time() * 1000)).as_json()
    return {"text": text, "source_language": source, "target_language": target, **marked, **wished}


def _from_stdin() -> str:
    # Not as text, like a file.
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 (byte {error.start})", "convert it with iconv") from None


def _read(file: Path) -> str:
    try:
        # Not as text: Python would end every line with LF.
        return file.read_bytes().decode()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "name an existing text file") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 (byte {error.start})", "convert it with iconv") from None


def _wait_with_bar(api: Api, job_id: str, as_json: bool, polls_until_unknown: int) -> Json:
    with progress_bars(is_shown=not as_json) as bars:
        return wait_for(api, job_id, lambda job: _show_progress(bars, job), polls_until_unknown)


def _show_progress(bars: ProgressBars, job: Json) -> None:
    batches = f"{job['batches_done']}/{job['batches']} batches"
    note = ", ".join(part for part in (batches, time_left(job)) if part)
    bars.show_share("job", job["progress"] / 100, label=job["stage"].lower(), note=note)


def _show_accepted(accepted: Json, as_json: bool) -> None:
    if as_json:
        print_json(accepted)
        return
    typer.echo(accepted["job_id"])
    typer.echo(f"accepted; see it with: dragoman result {accepted['job_id']} --wait", err=True)


def _show(job: Json, output: Path | None, as_json: bool) -> None:
    if as_json:
        print_json(job)
    if job["is_finished"] and (output or not as_json):
        _write(text_of(job), output)
        _warn_of_holes(job)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}", "choose another --output") from None


def _warn_of_holes(job: Json) -> None:
    holes = job["result"]["holes"]
    if holes:
        causes = ", ".join(sorted({hole["cause"] for hole in holes}))
        typer.echo(f"{len(holes)} of {job['segments']} segments stay untranslated: {causes}", err=True)


def _check_cancelled(job: Json) -> None:
    if job["status"] != ResultStatus.CANCELLED:
        raise CommandError(
            f"too late: the job is {job['status']}", f"read it with: dragoman result {job['job_id']}"
        )

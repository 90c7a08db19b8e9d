"""`document`: translate files, many at a time, and put the translations beside them."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Annotated

import typer

from producers.cli.api import POLLS_FOR_ACCEPTED, Api, DocumentJobs, time_left, wait_for
from producers.cli.arguments import AsJson, Tenant, Url
from producers.cli.document_files import DocumentFile, document_files
from producers.cli.errors import CommandError, NotRunningError, StoppedWaitingError
from producers.cli.output import Json, ProgressBars, print_json, progress_bars
from producers.cli.target import open_api
from producers.cli.translate import From, To
from producers.cli.wishes import (
    Bilingual,
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
from schemas.ids import event_id, new_request_id
from schemas.languages import parse_language

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, folders, or patterns in quotes.")]
Output = Annotated[Path | None, typer.Option(help="Folder for the translations; else beside their files.")]
Again = Annotated[bool, typer.Option("--again", help="Also files whose translation is there already.")]
BilingualOption = Annotated[
    Bilingual | None, typer.Option("--bilingual", help="Also write source and translation side by side.")
]
AtATime = Annotated[int, typer.Option(min=1, max=32, help="Files under way at a time.")]


def document(  # noqa: PLR0913, PLR0917  # one parameter per option
    files: Files,
    target: To,
    source: From = "auto",
    priority: PriorityOption = "standard",
    glossary: GlossaryOption = None,
    do_not_translate: KeptWords = None,
    label: Labels = None,
    callback: Callback = None,
    deadline: Deadline = None,
    late_policy: LatePolicy = None,
    filter_option: FilterOptions = None,
    engine_option: EngineOptions = None,
    bilingual: BilingualOption = None,
    output: Output = None,
    again: Again = False,
    at_a_time: AtATime = 4,
    tenant: Tenant = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Translate files; prints where the translations are. Run again, it goes on where it was stopped."""
    language = str(parse_language(target, "--to"))
    found = document_files(files, language, output, bilingual)
    wanted = [one for one in found if again or not one.is_done]
    wished = Wishes(
        priority,
        glossary,
        do_not_translate,
        label,
        callback,
        deadline,
        late_policy,
        filter_option,
        engine_option,
        round(time.time() * 1000),
    ).as_form()
    wishes: Json = {"source_language": source, "target_language": language, **wished}
    with open_api(url, tenant) as api, progress_bars(is_shown=not as_json) as bars:
        run = _Run(api, bars, wishes, again, bilingual)
        with ThreadPoolExecutor(at_a_time) as threads:
            try:
                list(threads.map(run.translate, wanted))
            except KeyboardInterrupt:
                run.stopped.set()
                raise StoppedWaitingError("stopped", "run the same command again to go on") from None
    _report(run, len(found) - len(wanted), as_json)


@dataclass
class _Run:
    """The files of one call. `translate` may run on several threads."""

    api: Api
    bars: ProgressBars
    wishes: Json
    is_again: bool
    bilingual: str | None = None
    done: list[Json] = field(default_factory=list)
    failed: list[CommandError] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def translate(self, file: DocumentFile) -> None:
        """Translate one file; a failure is noted, and the others go on."""
        if self.stopped.is_set():
            return
        try:
            self.done.append(self._translated(file))
        except NotRunningError as error:
            self.stopped.set()
            self.failed.append(error)
        except CommandError as error:
            self.failed.append(CommandError(f"{file.source}: {error.message}", error.next_step))

    def _translated(self, file: DocumentFile) -> Json:
        name = str(file.source)
        self.bars.show_share(name, 0.0, note="sending")
        with _opened(file.source) as content:
            job_id = new_request_id() if self.is_again else _id_of(file.source.name, content, self.wishes)
            self.api.send_document(file.source.name, content, {**self.wishes, "request_id": job_id})
        job = wait_for(DocumentJobs(self.api), job_id, lambda job: self._show(name, job), POLLS_FOR_ACCEPTED)
        _check(job)
        _make_folder(file.output.parent)
        self.api.download(job_id, file.output)
        if file.beside:
            self.api.download(job_id, file.beside, self.bilingual)
        holes = job["result"]["holes"] if job["result"] else []
        return {
            "file": name,
            "output": str(file.output),
            "job_id": job_id,
            "status": job["status"],
            "holes": holes,
            **({"bilingual": str(file.beside)} if file.beside else {}),
        }

    def _show(self, name: str, job: Json) -> None:
        if self.stopped.is_set():
            raise StoppedWaitingError("stopped")
        note = ", ".join(part for part in (job["stage"].lower(), time_left(job)) if part)
        self.bars.show_share(name, job["progress"] / 100, note=note)


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"it cannot be read: {error.strerror}") from None


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{path} cannot be made: {error.strerror}", "choose another --output") from None


def _id_of(name: str, content: BufferedReader, wishes: Json) -> str:
    """Return the id of the same file with the same wishes: sent again, it is the same job, and billed once.

    Leaves the file at its beginning. A deadline may count from now, so it makes no other job.
    """
    digest = hashlib.file_digest(content, "sha256")
    content.seek(0)
    return event_id(
        "document",
        name,
        digest.hexdigest(),
        *(f"{name}={wishes[name]}" for name in sorted(wishes) if name != "deadline"),
    )


def _check(job: Json) -> None:
    result = job["result"]
    if result is None:
        raise CommandError(f"the job is {job['status']}, but its result is no longer kept", "add --again")
    if result["file_name"] is None:
        error = result["error"] or {"message": None, "cause": job["status"]}
        raise CommandError(f"{job['status']}: {error['message'] or error['cause']}")


def _report(run: _Run, skipped: int, as_json: bool) -> None:
    for one in run.done:
        if as_json:
            print_json(one)
            continue
        typer.echo("\n".join(filter(None, (one["output"], one.get("bilingual")))))
        if one["holes"]:
            places = ", ".join(hole["place"] for hole in one["holes"][:3] if hole["place"])
            typer.echo(f"{one['file']}: {len(one['holes'])} sentences stay untranslated ({places})", err=True)
    if skipped:
        typer.echo(f"{skipped} translated before; --again translates them anew", err=True)
    for error in run.failed[:-1]:
        typer.echo(f"dragoman: {error}", err=True)
    if run.failed:
        raise run.failed[-1]

"""Waits for a job and shows how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from producers.cli.api import Api, Json, UnknownJobError
from producers.cli.failures import CommandError, NotRunningError, StoppedWaitingError

_LOOK_SECONDS = 1.0


class Watcher(Protocol):
    """Is told of every look at the job."""

    def __call__(self, job: Json) -> None:
        """The job as it is now."""


def wait_for(api: Api, job_id: str, watch: Watcher, patience: int) -> Json:
    """The finished job. Raises StoppedWaitingError on Ctrl-C, UnknownJobError after `patience` looks in vain."""
    come_back = f"the job goes on, come back with: dragoman result {job_id} --wait"
    try:
        job = _first_sight(api, job_id, patience)
        while not job["is_finished"]:
            watch(job)
            job = api.job(job_id, _LOOK_SECONDS)
    except KeyboardInterrupt:
        raise StoppedWaitingError("stopped waiting", come_back) from None
    except NotRunningError as error:
        raise NotRunningError(error.message, come_back) from None
    watch(job)
    return job


def _first_sight(api: Api, job_id: str, patience: int) -> Json:
    # An accepted job may show up a moment later.
    for _ in range(patience - 1):
        with suppress(UnknownJobError):
            return api.job(job_id, _LOOK_SECONDS)
    return api.job(job_id, _LOOK_SECONDS)


@contextmanager
def progress_bar(is_shown: bool) -> Iterator[Watcher]:
    """A bar on standard error: stage, segments, how much longer; or nothing."""
    if not is_shown:
        yield lambda _job: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[segments]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remaining]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("accepted", total=1.0, segments="", remaining="")

        def watch(job: Json) -> None:
            progress.update(
                task,
                completed=job["progress"],
                description=job["stage"].lower(),
                segments=f"{job['segments_done']}/{job['segments']} segments",
                remaining=remaining(job),
            )

        yield watch


def remaining(job: Json) -> str:
    """How much longer, as far as that is measured."""
    if job["is_finished"]:
        return str(job["status"]).lower()
    seconds, ahead = job["estimated_completion_seconds"], job["queue_position"]
    time_left = "" if seconds is None else f"about {seconds:.0f} s left"
    queue = f"{ahead} ahead in the queue" if ahead else ""
    return ", ".join(part for part in (time_left, queue) if part)


def text_of(job: Json) -> str:
    """The translation of a finished job. Raises CommandError when there is none."""
    result = job["result"]
    if result is None:
        raise CommandError(
            f"the job is {job['status']}, but its text is kept no longer",
            "read it from the topic translation.results",
        )
    if result["text"] is None:
        error = result["error"] or {"cause": job["status"], "message": None}
        raise CommandError(f"the job is {job['status']}: {error['message'] or error['cause']}")
    return str(result["text"])

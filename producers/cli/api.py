"""The HTTP interface as the commands use it, with its problems turned into one line.

Waits for a job and shows how far it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from producers.cli.errors import CommandError, NotRunningError, StoppedWaitingError

Json = dict[str, Any]

_TIMEOUT_SECONDS = 30.0


class UnknownJobError(CommandError):
    """The platform does not know the job, or does not know it yet."""


class Api:
    """Close it at the end, or use it in `with`."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, transport=transport)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def submit(self, submission: Json) -> Json:
        """The accepted job."""
        return self._ask("POST", "/api/v1/translations", json=submission)

    def job(self, job_id: str, wait_seconds: float = 0) -> Json:
        """The job as it is, at the latest after that time. Raises UnknownJobError."""
        return self._ask("GET", f"/api/v1/translations/{job_id}", params={"wait": wait_seconds})

    def cancel(self, job_id: str) -> Json:
        """The job as it was when the order was stored. Raises UnknownJobError."""
        return self._ask("DELETE", f"/api/v1/translations/{job_id}")

    def _ask(self, method: str, path: str, **rest: Any) -> Json:
        try:
            answer = self._http.request(method, path, **rest)
        except httpx.TransportError as error:
            raise NotRunningError(f"nothing answers at {self._url}", "start it with: dragoman up") from error
        if answer.is_error:
            raise _failure(answer)
        found: Json = answer.json()
        return found


def _failure(answer: httpx.Response) -> CommandError:
    if "problem+json" not in answer.headers.get("content-type", ""):
        return CommandError(f"{answer.url} answered {answer.status_code}", "is this the address of Dragoman?")
    problem = answer.json()
    limit = f" (limit: {problem['limit']})" if "limit" in problem else ""
    kinds = {404: UnknownJobError, 503: NotRunningError}
    kind = kinds.get(answer.status_code, CommandError)
    return kind(f"{problem['detail']}{limit}", problem.get("cure"))


_LOOK_SECONDS = 1.0


class Watcher(Protocol):
    """Is told of every look at the job."""

    def __call__(self, job: Json) -> None:
        """The job as it is now."""


def wait_for(api: Api, job_id: str, watch: Watcher, most_looks: int) -> Json:
    """The finished job. Raises StoppedWaitingError on Ctrl-C, UnknownJobError after `patience` looks in vain."""
    come_back = f"the job goes on, come back with: dragoman result {job_id} --wait"
    try:
        job = _first_parse(api, job_id, most_looks)
        while not job["is_finished"]:
            watch(job)
            job = api.job(job_id, _LOOK_SECONDS)
    except KeyboardInterrupt:
        raise StoppedWaitingError("stopped waiting", come_back) from None
    except NotRunningError as error:
        raise NotRunningError(error.message, come_back) from None
    watch(job)
    return job


def _first_parse(api: Api, job_id: str, most_looks: int) -> Json:
    # An accepted job may show up a moment later.
    for _ in range(most_looks - 1):
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

"""The HTTP interface as the commands use it: jobs are sent, fetched, cancelled and waited for.

An RFC 9457 problem becomes a CommandError, which is one line on the terminal.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

import httpx

from producers.cli.errors import CommandError, NotRunningError, StoppedWaitingError, UsageError
from producers.cli.output import Json

_TRANSLATIONS, _DOCUMENTS, _GLOSSARIES = "/api/v1/translations", "/api/v1/documents", "/api/v1/glossaries"
_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 1.0
# Polls until a job that was just accepted counts as unknown.
POLLS_FOR_ACCEPTED = 30
_UPLOAD_SECONDS = 600.0
# A result may be heard of before every process can see it.
_TOLD_SECONDS = 20.0

OnJobProgress = Callable[[Json], object]
"""Told of the job after every poll."""


class JobSource(Protocol):
    """Returns jobs, as `Api` does."""

    def job(self, job_id: str, wait_seconds: float = 0) -> Json:
        """Return the job once it is finished, or as it is after that time. Raises UnknownJobError."""


@dataclass(frozen=True)
class DocumentJobs:
    """The documents of a platform, for who may read no other jobs."""

    api: "Api"

    def job(self, job_id: str, wait_seconds: float = 0) -> Json:
        return self.api.document(job_id, wait_seconds)


class UnknownJobError(CommandError):
    """The platform does not know the job, or does not know it yet."""


class Api:
    """A client of one platform. Close it at the end, or use it in `with`."""

    def __init__(
        self, url: str, api_key: str = "", tenant: str | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Show the key, and act for the tenant; None leaves it to the key."""
        self._url = url
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._tenant = {"tenant": tenant} if tenant else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS, transport=transport)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def submit(self, submission: Json) -> Json:
        """Send a text; return the accepted job."""
        return self._call("POST", _TRANSLATIONS, json={**submission, **self._tenant})

    def job(self, job_id: str, wait_seconds: float = 0) -> Json:
        return self._call("GET", _path(_TRANSLATIONS, job_id), params={"wait": wait_seconds, **self._tenant})

    def cancel(self, job_id: str) -> Json:
        """Cancel the job; return it as it was when the cancellation was stored. Raises UnknownJobError."""
        return self._call("DELETE", _path(_TRANSLATIONS, job_id), params=self._tenant)

    def erase(self, job_id: str) -> Json:
        """Have the job erased; return it as it was when the order was stored. Raises UnknownJobError."""
        return self._call("POST", _path(_TRANSLATIONS, job_id, "/erase"), params=self._tenant)

    def deliveries(self, job_id: str) -> list[Json]:
        """Return the webhooks of a job. Raises UnknownJobError."""
        path = _path(_TRANSLATIONS, job_id, "/deliveries")
        found: list[Json] = self._json("GET", path, params=self._tenant)
        return found

    def redeliver(self, job_id: str) -> list[Json]:
        """Have the webhooks of a job delivered again; return them. Raises UnknownJobError."""
        path = _path(_TRANSLATIONS, job_id, "/deliveries/redeliver")
        found: list[Json] = self._json("POST", path, params=self._tenant)
        return found

    def webhook_secrets(self) -> list[Json]:
        """Return the living secrets of webhooks, the newest first."""
        found: list[Json] = self._json("GET", "/api/v1/webhooks/secret")
        return found

    def rotate_webhook_secret(self, overlap_seconds: int) -> list[Json]:
        """Make a new secret of webhooks; return all living ones."""
        body = {"overlap_seconds": overlap_seconds}
        found: list[Json] = self._json("POST", "/api/v1/webhooks/secret/rotate", json=body)
        return found

    def send_document(self, name: str, content: BinaryIO, fields: Json) -> Json:
        """Send a file, without holding it in memory; return the accepted job."""
        files = {"file": (name, content, "application/octet-stream")}
        data = {**fields, **self._tenant}
        return self._call("POST", _DOCUMENTS, data=data, files=files, timeout=_UPLOAD_SECONDS)

    def document(self, job_id: str, wait_seconds: float = 0) -> Json:
        """Return the job of a document as `job` does."""
        return self._call("GET", _path(_DOCUMENTS, job_id), params={"wait": wait_seconds, **self._tenant})

    def download(self, job_id: str, output: Path, bilingual: str | None = None) -> None:
        """Write the translated file, or the kind of bilingual file that is named.

        It exists once all of it has come. Raises CommandError.
        """
        part = output.with_name(f".{output.name}.part")
        path = _path(_DOCUMENTS, job_id, "/download")
        try:
            asked: Json = {"wait": _TOLD_SECONDS, **self._tenant}
            if bilingual:
                asked["bilingual"] = bilingual
            with self._http.stream("GET", path, params=asked) as response, part.open("wb") as file:
                if not response.is_success:
                    response.read()
                    raise _failure(response)
                for chunk in response.iter_bytes():
                    file.write(chunk)
            part.replace(output)
        except httpx.TransportError as error:
            raise NotRunningError(f"nothing answers at {self._url}", "start it with: dragoman up") from error
        except OSError as error:
            raise CommandError(
                f"{output} cannot be written: {error.strerror}", "choose another --output"
            ) from None
        finally:
            with suppress(OSError):  # why it cannot be written is told already
                part.unlink(missing_ok=True)

    def make_glossary(self, fields: Json, content: bytes, media_type: str) -> Json:
        """Send a file of entries; return the version that was made."""
        headers = {"Content-Type": media_type}
        params = {**fields, **self._tenant}
        return self._call("POST", _GLOSSARIES, params=params, content=content, headers=headers)

    def glossaries(self) -> list[Json]:
        """Return the glossaries, each in its newest version."""
        found: list[Json] = self._json("GET", _GLOSSARIES, params=self._tenant)
        return found

    def glossary(self, name: str, form: str) -> str:
        """Return `name` or `name@version`, as it is written in that format."""
        return self._asked("GET", _path(_GLOSSARIES, name), params={"format": form, **self._tenant}).text

    def delete_glossary(self, name: str) -> None:
        """Delete `name@version`, or all versions of `name`."""
        self._asked("DELETE", _path(_GLOSSARIES, name), params=self._tenant)

    def _call(self, method: str, path: str, **rest: Any) -> Json:
        found: Json = self._json(method, path, **rest)
        return found

    def _json(self, method: str, path: str, **rest: Any) -> Any:
        answer = self._asked(method, path, **rest)
        try:
            return answer.json()
        except ValueError:
            raise _not_ours(answer) from None

    def _asked(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **rest)
        except httpx.TransportError as error:
            raise NotRunningError(f"nothing answers at {self._url}", "start it with: dragoman up") from error
        if not response.is_success:
            raise _failure(response)
        return response


def wait_for(api: JobSource, job_id: str, on_progress: OnJobProgress, polls_until_unknown: int) -> Json:
    """Return the job when it is finished.

    Raises StoppedWaitingError on Ctrl-C, and UnknownJobError when that many polls of a second did not find it.
    """
    come_back = f"the job goes on, come back with: dragoman result {job_id} --wait"
    try:
        job = _first_seen(api, job_id, polls_until_unknown)
        while not job["is_finished"]:
            on_progress(job)
            job = api.job(job_id, _POLL_SECONDS)
    except KeyboardInterrupt:
        raise StoppedWaitingError("stopped waiting", come_back) from None
    except NotRunningError as error:
        raise NotRunningError(error.message, come_back) from None
    on_progress(job)
    return job


def text_of(job: Json) -> str:
    """Return the translation of a finished job, each text of an array on its line. Raises CommandError."""
    result = job["result"]
    if result is None:
        raise CommandError(
            f"the job is {job['status']}, but its text is no longer kept",
            "read it from the topic translation.results",
        )
    if translations := result.get("translations"):
        return "\n".join(one["text"] for one in translations)
    if result["text"] is None:
        error = result["error"] or {"cause": job["status"], "message": None}
        raise CommandError(f"the job is {job['status']}: {error['message'] or error['cause']}")
    return str(result["text"])


def time_left(job: Json) -> str:
    """Say how much longer the job takes, as far as that is known; the status of a finished one."""
    if job["is_finished"]:
        return str(job["status"]).lower()
    seconds, ahead = job["estimated_completion_seconds"], job["queue_position"]
    left = "" if seconds is None else f"about {seconds:.0f} s left"
    queue = f"{ahead} ahead in the queue" if ahead else ""
    return ", ".join(part for part in (left, queue) if part)


def _failure(response: httpx.Response) -> CommandError:
    problem = _problem_of(response)
    if problem is None:
        return _not_ours(response)
    limit = f" (limit: {problem['limit']})" if "limit" in problem else ""
    kinds = {404: UnknownJobError, 503: NotRunningError}
    kind = kinds.get(response.status_code, CommandError)
    return kind(f"{problem['detail']}{limit}", problem.get("cure"))


def _problem_of(response: httpx.Response) -> Json | None:
    """Return what our HTTP interface says is wrong; None where it is none of ours that answered."""
    with suppress(ValueError):
        found = response.json() if "problem+json" in response.headers.get("content-type", "") else None
        if isinstance(found, dict) and "detail" in found:
            return found
    return None


def _not_ours(response: httpx.Response) -> CommandError:
    where = response.url.copy_with(userinfo=b"", query=None)
    return CommandError(f"{where} answered {response.status_code}", "is this the address of Dragoman?")


def _first_seen(api: JobSource, job_id: str, polls_until_unknown: int) -> Json:
    # An accepted job may become visible a moment later.
    for _ in range(polls_until_unknown - 1):
        with suppress(UnknownJobError):
            return api.job(job_id, _POLL_SECONDS)
    return api.job(job_id, _POLL_SECONDS)


def _path(kind: str, name: str, rest: str = "") -> str:
    """Return where something is; its name may hold what means something in addresses. Raises UsageError."""
    if name in {"", ".", ".."}:  # a step in an address, and no name
        raise UsageError(f"{name!r} is the name of nothing", "name it as the platform printed it")
    return f"{kind}/{quote(name, safe='@:')}{rest}"

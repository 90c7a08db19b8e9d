"""The HTTP interface as the commands use it, with its problems turned into one line."""

from typing import Any

import httpx

from producers.cli.failures import CommandError, NotRunningError

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

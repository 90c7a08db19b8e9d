"""What goes wrong in this process: errors that problems.py answers."""

import math

from starlette.exceptions import HTTPException

from schemas.errors import PermanentError, TransientError
from schemas.shares import Decision


class BodyTooLarge(HTTPException):
    """The body is longer than allowed; raised while it is read."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(413, "the body is too large")
        self.limit = f"{max_body_bytes} bytes"


class NoForm(HTTPException):
    """The body is no form with a file."""

    cure = "send a multipart form with the file in the field file"

    def __init__(self, detail: str, status_code: int = 415) -> None:
        super().__init__(status_code, detail)


class UnknownJobError(PermanentError):
    """There is no such job, or it is not the caller's, or nothing is known of it any more."""


class OverloadedError(TransientError):
    """The platform, or this process, has no room for another request. Nothing was sent to Kafka."""


class TooManyRequestsError(PermanentError):
    """A caller has used up its share for now. `headers` say when it has some again."""

    def __init__(  # noqa: PLR0913  # the parts of one answer
        self,
        cause: str,
        message: str,
        rate: Decision,
        *,
        limit: str,
        retry_after_ms: int = 0,
        cure: str = "",
    ) -> None:
        seconds = seconds_of(retry_after_ms or rate.retry_after_ms)
        super().__init__(cause, message, limit=limit, cure=cure or f"send the same request again in {seconds} s")
        self.headers = {**rate_headers(rate), "Retry-After": str(seconds)}


def rate_headers(decision: Decision) -> dict[str, str]:
    """Return the RateLimit-* headers (draft-ietf-httpapi-ratelimit-headers-07), in calls and seconds."""
    if not decision.limit:
        return {}
    return {
        "RateLimit-Limit": str(decision.limit),
        "RateLimit-Remaining": str(decision.remaining),
        "RateLimit-Reset": str(seconds_of(decision.reset_ms)),
    }


def seconds_of(milliseconds: float) -> int:
    """Round up to whole seconds."""
    return math.ceil(milliseconds / 1000)


def not_found(job_id: str) -> UnknownJobError:
    """Build the error for a job that does not exist or is not the caller's."""
    return UnknownJobError(
        "unknown_job",
        f"there is no job {job_id!r}, or it has expired",
        field="job_id",
        cure="use the job_id of the answer to the POST; results are kept for a limited time",
    )


def erased(job_id: str) -> PermanentError:
    """Build the error for a job whose texts and files were erased."""
    return PermanentError(
        "erased",
        f"the job {job_id!r} was erased: its texts and files are gone",
        field="job_id",
        cure="send the text again under a new id; the status of the job is still shown by a GET",
    )

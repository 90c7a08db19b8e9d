"""Read a usual submission at once; FastAPI reads all others, and refuses what is wrong.

Its dependencies, its model of headers and its guess of the content type cost more than all else that is done for a
POST. So a body that is JSON, with nothing in the query but `wait`, is held against the same model here; whatever
that does not take is left to FastAPI, whose answers, and whose description of the route, stay what they are.
"""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError

from producers.http.admission.caller import caller_of, check_scope
from producers.http.translations.submission import Envelope, Submission
from stream_apps.accounts.roles import Scope

_JSON = re.compile(r"application/json\s*(?:;\s*charset=utf-8\s*)?", re.IGNORECASE)
_WAIT = re.compile(rb"(?:wait=(\d{1,6}(?:\.\d{1,6})?))?")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SubmissionRoute(APIRoute):
    """For an endpoint of `submission`, `request`, `caller`, `envelope` and `wait`, which returns a Response."""

    def get_route_handler(self) -> Handler:
        """Return what reads usual submissions, and leaves the others to FastAPI."""
        by_fastapi, endpoint = super().get_route_handler(), self.endpoint

        async def handle(request: Request) -> Response:
            wait = _WAIT.fullmatch(request.scope["query_string"])
            submission = await _usual(request) if wait else None
            if wait is None or submission is None:
                return await by_fastapi(request)
            caller = await caller_of(request)
            check_scope(caller, Scope.WRITE_TRANSLATIONS)
            response: Response = await endpoint(
                submission=submission,
                request=request,
                caller=caller,
                envelope=_envelope(request),
                wait=float(wait[1] or 0),
            )
            return response

        return handle


async def _usual(request: Request) -> Submission | None:
    """Return the submission; None where the body is not declared as JSON, is none, or has something wrong."""
    if not _JSON.fullmatch(request.headers.get("content-type", "")):
        return None
    # Kept by the request, so FastAPI finds it, too.
    body = await request.body()
    try:
        return Submission.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError):
        return None


def _envelope(request: Request) -> Envelope:
    headers = request.headers
    return Envelope(
        idempotency_key=headers.get("idempotency-key"),
        prefer=headers.get("prefer"),
        traceparent=headers.get("traceparent"),
    )

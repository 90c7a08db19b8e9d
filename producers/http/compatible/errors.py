"""Answer errors in the form of the original that a caller speaks to."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from producers.http.errors import OverloadedError, TooManyRequestsError
from producers.http.problems import headers_of_refusal
from schemas.errors import PermanentError, TransientError
from stream_apps.accounts.refusals import ForbiddenError, UnauthenticatedError

log = structlog.get_logger()

_LONGEST_PATH = 100
_USED_UP = "characters_used_up"


class Refusal(NamedTuple):
    """The status and the words of an answer that is none."""

    status: int
    message: str


class TranslationFailedError(PermanentError):
    """No text came of a request that was accepted; the caller did nothing wrong."""


class Dialect(NamedTuple):
    """How an original tells errors: `body` makes the JSON, `names` are its own for our fields.

    `used_up` is its status where the characters of the day are used up.
    """

    body: Callable[[str], dict[str, Any]]
    names: dict[str, str]
    used_up: int = 429

    def refusal(self, error: Exception) -> Refusal:
        """Return the answer to an error. The message of an unknown one may quote the text, so it is not told."""
        if isinstance(error, PermanentError):
            return Refusal(self._status_of(error), self._told(error))
        if isinstance(error, TransientError):
            return Refusal(503, str(error))
        if isinstance(error, HTTPException):
            return Refusal(error.status_code, f"{error.detail}{_limit(getattr(error, 'limit', None))}")
        return Refusal(500, "the request met an unexpected error")

    def _status_of(self, error: PermanentError) -> int:
        match error:
            case UnauthenticatedError() | ForbiddenError():
                return 403
            case TooManyRequestsError():
                return self.used_up if error.cause == _USED_UP else 429
            case TranslationFailedError():
                return 500
            case PermanentError(cause="no_such_glossary" | "unknown_glossary" | "unknown_job" | "file_expired"):
                return 404
            case PermanentError(cause="not_finished"):
                return 503
        return 400

    def _told(self, error: PermanentError) -> str:
        """Return message, limit and cure in one line, with the original's names for its parameters."""
        line = f"{error.message}{_limit(error.limit)}{f'; {error.cure}' if error.cure else ''}"
        for ours, theirs in self.names.items():
            line = re.sub(rf"\b{ours}(?=\[| (?:has|is|holds)\b)", theirs, line)
        return line


def _limit(limit: str | None) -> str:
    return f" (limit: {limit})" if limit else ""


def route_class(dialect: Dialect) -> type[APIRoute]:
    """Return a class of routes that answer errors in that dialect."""

    class CompatibleRoute(APIRoute):
        def refusal(self, request: Request, error: Exception) -> Response:
            """Answer an error that came before the route was asked."""
            return _response(dialect, request, error)

        def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # narrower
            answer = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    return await answer(request)
                except Exception as error:  # whatever it is, this is its last stop
                    return _response(dialect, request, error)

            return handler

    return CompatibleRoute


def refusal_for(request: Request, error: Exception, routers: Iterable[APIRouter]) -> Response | None:
    """Answer in the dialect of the route that the request is for; None where it is for none of these routers."""
    for route in (one for router in routers for one in router.routes):
        if route.matches(request.scope)[0] is Match.FULL:
            answer: Response = getattr(route, "refusal")(request, error)  # noqa: B009  # of every route_class here
            return answer
    return None


def unknown_route(request: Request, error: HTTPException, dialects: Mapping[str, Dialect]) -> Response | None:
    """Answer where there is no such route or method, in the dialect of the paths that begin so; else None."""
    path = request.url.path
    dialect = next((one for prefix, one in dialects.items() if path.startswith(prefix)), None)
    if dialect is None:
        return None
    message = f"{request.method} {path[:_LONGEST_PATH]} is not offered here; see docs/compatible.md for what is"
    return JSONResponse(dialect.body(message), error.status_code, headers_of_refusal(request, error))


def _response(dialect: Dialect, request: Request, error: Exception) -> Response:
    status, message = dialect.refusal(error)
    # An overload is counted, not logged: a flood must not become a flood of lines.
    if status >= 500 and not isinstance(error, OverloadedError):
        log.warning("compatible_call_failed", path=request.url.path, kind=type(error).__name__)
    return JSONResponse(dialect.body(message), status, _headers(error))


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, TooManyRequestsError):
        return error.headers
    if isinstance(error, TransientError):
        return {"Retry-After": str(max(round(error.retry_after_seconds), 1))}
    return {}

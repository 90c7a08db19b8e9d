"""Answer every error as an RFC 9457 problem: it names field, limit and cure, and never quotes the text."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from producers.http.errors import OverloadedError, TooManyRequestsError
from schemas.errors import PermanentError, TransientError
from stream_apps.accounts.budgets import BudgetUsedUpError
from stream_apps.accounts.refusals import ForbiddenError, UnauthenticatedError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"

_CURES = {
    400: "send one JSON object, in UTF-8",
    404: "check the address; /openapi.json lists them all",
    405: "use a method that the Allow header names",
    413: "send less, or split it into several requests",
    415: "send the header Content-Type: application/json",
    500: "try again; if it stays, give the operators the instance and the time",
}
_CAUSES = {
    400: "malformed_body",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    500: "internal_error",
}
_FIELD_CURES = {
    "extra_forbidden": "leave the field out; /openapi.json lists the known ones",
    "missing": "send the field",
    "file_without_name": "name the file by filename=, in UTF-8; filename*= alone is not read",
    "string_unicode": "send valid Unicode, without lone surrogates",
}
_NOT_FOUND, _CONFLICT, _GONE = 404, 409, 410
_STATUS_OF_CAUSE = {
    **dict.fromkeys(("unknown_job", "unknown_key", "file_expired", "no_such_glossary"), _NOT_FOUND),
    **dict.fromkeys(("no_erasure", "no_dead_letters"), _NOT_FOUND),
    **dict.fromkeys(("not_finished", "no_file", "no_source"), _CONFLICT),
    "erased": _GONE,
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# The parts of pydantic's context that tell a caller what would be allowed.
_LIMITS = ("max_length", "min_length", "ge", "gt", "le", "lt", "pattern", "expected")


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str
    detail: str
    limit: str | None = None
    cure: str | None = None


class Problem(BaseModel):
    """An RFC 9457 problem, with the field, the limit and the cure of the first thing that is wrong."""

    type: str = Field(description="urn:dragoman:problem:CAUSE; the cause is stable.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path of the request.")
    field: str | None = None
    limit: str | None = None
    cure: str | None = None
    errors: list[FieldProblem] = Field(default_factory=list, description="All of them, where several are wrong.")


def install(app: FastAPI) -> None:
    """Make the application answer every error as a problem."""
    app.add_exception_handler(PermanentError, _permanent)
    app.add_exception_handler(OverloadedError, _overloaded)
    app.add_exception_handler(TransientError, _transient)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, http_problem)
    app.add_exception_handler(Exception, _unexpected)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Name the errors of a route that do not follow from its kind; description/errors.py knows what they are."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def openapi_schemas() -> dict[str, Any]:
    """Return the schemas of a problem, for the OpenAPI document."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def overloaded_response(request: Request, error: OverloadedError) -> JSONResponse:
    """Answer 503 with the seconds after which a retry makes sense."""
    return _unavailable(request, "overloaded", error)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Build the answer, without the members that have no value."""
    content = problem.model_dump(exclude_none=True, exclude_defaults=True)
    return JSONResponse(content, problem.status, headers, media_type=MEDIA_TYPE)


async def _permanent(request: Request, error: Any) -> JSONResponse:
    named = {"field": error.field, "limit": error.limit, "cure": error.cure}
    problem = _problem(request, _status_of(error), error.cause, error.message, **named)
    return problem_response(problem, _headers_of(error))


def _status_of(error: PermanentError) -> int:
    match error:
        case UnauthenticatedError():
            return 401
        case ForbiddenError():
            return 403
        case TooManyRequestsError():
            return 429
        case BudgetUsedUpError():
            return 402
    return _STATUS_OF_CAUSE.get(error.cause, 422)


def _headers_of(error: PermanentError) -> Mapping[str, str]:
    if isinstance(error, TooManyRequestsError):
        return error.headers
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthenticatedError) else {}


async def _transient(request: Request, error: Any) -> JSONResponse:
    log.warning("request_not_accepted", path=request.url.path, error=str(error))
    return _unavailable(request, "temporarily_unavailable", error)


async def _overloaded(request: Request, error: Any) -> JSONResponse:
    # Counted, not logged: a flood must not become a flood of lines.
    return overloaded_response(request, error)


def _unavailable(request: Request, cause: str, error: TransientError) -> JSONResponse:
    seconds = max(round(error.retry_after_seconds), 1)
    cure = f"send the same request again in {seconds} s"
    problem = _problem(request, 503, cause, str(error), cure=cure)
    return problem_response(problem, {"Retry-After": str(seconds)})


async def _invalid(request: Request, error: Any) -> JSONResponse:
    found = error.errors()
    if any(part["type"] == "json_invalid" for part in found):
        return problem_response(_of_status(request, 400, "the body is no JSON"))
    is_json = "json" in request.headers.get("content-type", "").lower()
    if not is_json and any(tuple(part["loc"]) == ("body",) for part in found):
        return problem_response(_of_status(request, 415, "the body is not declared as JSON"))
    fields = [_field_problem(part) for part in found]
    first = fields[0]
    problem = _problem(
        request, 422, "invalid_request", first.detail, field=first.field, limit=first.limit, cure=first.cure
    )
    return problem_response(problem.model_copy(update={"errors": fields}))


async def http_problem(request: Request, error: Any) -> JSONResponse:
    """Answer what the framework refuses, such as an unknown address."""
    told = {name: value for name in ("limit", "cure") if (value := getattr(error, name, None))}
    problem = _of_status(request, error.status_code, str(error.detail)).model_copy(update=told)
    return problem_response(problem, headers_of_refusal(request, error))


def headers_of_refusal(request: Request, error: HTTPException) -> Mapping[str, str] | None:
    """Return the headers of what the framework refuses; `Allow` names every method that the address has."""
    return {"Allow": _allowed(request)} if error.status_code == 405 else error.headers


def _allowed(request: Request) -> str:
    # The framework names those of the first route only.
    routes = request.app.routes
    return ", ".join(
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The message of an unknown error may quote the text, so only its kind is told.
    log.error("request_failed", path=request.url.path, kind=type(error).__name__)
    return problem_response(_of_status(request, 500, "the request met an unexpected error"))


def _of_status(request: Request, status: int, detail: str) -> Problem:
    cause = _CAUSES.get(status, f"http_{status}")
    return _problem(request, status, cause, detail, cure=_CURES.get(status))


def _problem(request: Request, status: int, cause: str, detail: str, **rest: str | None) -> Problem:
    return Problem(
        type=f"urn:dragoman:problem:{cause}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        **rest,  # type: ignore[arg-type]  # field, limit and cure only
    )


def _field_problem(part: Mapping[str, Any]) -> FieldProblem:
    source, *inner = [str(key) for key in part["loc"]]
    # Names that the caller made up are cut, and may hold what no answer can be encoded with.
    field = (".".join(inner) or source)[:80].encode(errors="replace").decode()
    limits = ", ".join(f"{name} {value}" for name, value in part.get("ctx", {}).items() if name in _LIMITS)
    cure = _FIELD_CURES.get(part["type"], "see the field in /openapi.json")
    return FieldProblem(field=field, detail=f"{field}: {part['msg']}", limit=limits or None, cure=cure)

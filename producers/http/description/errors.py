"""Say which errors an operation can answer, each with its problem and an example (problems.yaml).

What every operation of a kind may answer follows from what it is: whoever needs a key may hear 401 and 403. Routes
add what is theirs alone (`producers.http.problems.responses`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from producers.http.problems import MEDIA_TYPE

Operation = dict[str, Any]

_OF_CALLERS = (401, 403, 429, 503)
_OF_BODIES = (400, 413, 415, 422)
_OF_PARAMETERS, _OF_POSTS, _OF_ALL = (422,), (503,), (500,)


class Place(NamedTuple):
    """Where an operation stands in the document."""

    path: str
    method: str


def add_errors(place: Place, operation: Operation, own: Iterable[int], kinds: Mapping[str, Any]) -> None:
    """Refer to every error that the operation can answer: its own, and those of its kind."""
    for status in sorted({*own, *_statuses_of(place, operation)}):
        name = _name_of(status, place, operation, kinds)
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}


def error_responses(kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the component for each kind of error."""
    return {name: _response(kind) for name, kind in kinds.items()}


def _statuses_of(place: Place, operation: Operation) -> set[int]:
    found = {*_OF_ALL}
    if operation["security"]:
        found.update(_OF_CALLERS)
    if "requestBody" in operation:
        found.update(_OF_BODIES)
    if any(one["in"] != "path" for one in operation.get("parameters", ())):
        found.update(_OF_PARAMETERS)
    if place.method == "post":
        found.update(_OF_POSTS)
    return found


def _name_of(status: int, place: Place, operation: Operation, kinds: Mapping[str, Any]) -> str:
    of_status = {name: kind for name, kind in kinds.items() if kind["status"] == status}
    for name, kind in of_status.items():
        if "at" in kind and (kind["at"] == operation["operationId"] or f"{{{kind['at']}}}" in place.path):
            return name
    return next(name for name, kind in of_status.items() if "at" not in kind)


def _response(kind: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in kind.get("headers", ())}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": kind["example"]}
    return {"description": kind["description"], "headers": headers, "content": {MEDIA_TYPE: content}}

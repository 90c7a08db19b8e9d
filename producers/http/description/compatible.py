"""Describe the interfaces of others, from compatible.yaml: what is said there in short becomes OpenAPI here."""

from collections.abc import Mapping
from typing import Any

Told = Mapping[str, Any]

_JSON, _FORM, _MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
_RETRIED = (429, 503)
# Of every compatible operation; a path parameter is told by the path.
_PARAMETERS: Told = {
    "api_key": {
        "in": "query",
        "description": "A key, in place of the header.",
        "example": "drg_ca42007e07a0_SECRET",
    },
    "type": {"in": "query", "description": "source or target.", "example": "target"},
    "glossary_id": {"in": "path", "description": "NAME@VERSION.", "example": "shop@1"},
    "name": {"in": "path", "description": "As in the address of the file.", "example": "acme.5f3c.letter.txt"},
    "document_id": {
        "in": "path",
        "description": "As in the answer to the upload.",
        "example": "04DE5AD98A02647D83285A36021911C6",
    },
    "document_key": {
        "in": "query",
        "description": "As in the answer to the upload.",
        "example": "0CB0054F1C132C1625B392EADDA41CB754A742822F6877173029A6C487E7F60A",
    },
    "source_lang": {"in": "query", "description": "Of the dictionary.", "example": "en"},
    "target_lang": {"in": "query", "description": "Of the dictionary.", "example": "pt"},
}


def compatible_paths(told: Told) -> dict[str, Any]:
    """Return the paths of all interfaces, as they stand in an OpenAPI document."""
    return {
        path: {method: _operation(name, interface, mine) for method, mine in methods.items()}
        for name, interface in told.items()
        for path, methods in interface["paths"].items()
    }


def _operation(name: str, interface: Told, mine: Told) -> dict[str, Any]:
    schemes = mine.get("security", interface["security"])
    operation: dict[str, Any] = {
        "tags": [name],
        "operationId": mine["operationId"],
        "summary": mine["description"].partition(". ")[0].removesuffix("."),
        "description": mine["description"],
        "security": [{one: []} for one in schemes],
        "responses": {**_answer(mine), **_errors(interface, mine)},
    }
    if "parameters" in mine:
        operation["parameters"] = [_parameter(one) for one in mine["parameters"]]
    if "body" in mine:
        operation["requestBody"] = _body(mine)
    return operation


def _parameter(name: str) -> dict[str, Any]:
    found = _PARAMETERS[name]
    return {"name": name, "schema": {"type": "string"}, "required": found["in"] == "path", **found}


def _body(mine: Told) -> dict[str, Any]:
    schema = {"type": "object", **mine["body"]}
    if "file" in mine:
        example = {"summary": mine["description"], "value": {mine["file"]: "(the file)", **mine["request"]}}
        return {"required": True, "content": {_MULTIPART: {"schema": schema, "examples": {"one": example}}}}
    one = {"schema": schema, "examples": {"one": {"summary": mine["description"], "value": mine["request"]}}}
    return {"required": True, "content": {_JSON: one, _FORM: {"schema": schema}}}


def _answer(mine: Told) -> dict[str, Any]:
    status = mine.get("status", "200")
    if "answer" in mine:
        content = {mine.get("media_type", _JSON): {"schema": mine["answer"], "example": mine["example"]}}
        return {status: {"description": "Done.", "content": content}}
    # What is refused is never done.
    return {} if "statuses" in mine else {status: {"description": "Done."}}


def _errors(interface: Told, mine: Told) -> dict[str, Any]:
    statuses = mine.get("statuses", {**interface["statuses"], **mine.get("more_statuses", {})})
    return {str(status): _error(status, said, interface["error"]) for status, said in statuses.items()}


def _error(status: int, description: str, example: Told) -> dict[str, Any]:
    (member,) = example
    schema = {"type": "object", "required": [member], "properties": {member: {"type": "string"}}}
    answer: dict[str, Any] = {
        "description": description,
        "content": {_JSON: {"schema": schema, "example": dict(example)}},
    }
    if status in _RETRIED:
        answer["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return answer

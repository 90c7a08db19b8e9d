"""Put the examples of operations.yaml where OpenAPI has its place for them."""

from collections.abc import Mapping
from typing import Any

from producers.http.description.errors import Operation

_JSON = "application/json"


def add_parameters(operation: Operation, told: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Give each parameter its example, the operation's own first, and a description where the code has none."""
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        mine = told.get(name, {})
        if name in own or "example" in mine:
            parameter["example"] = own.get(name, mine.get("example"))
        if "description" in mine:
            parameter.setdefault("description", mine["description"])


def add_request(operation: Operation, told: Mapping[str, Any]) -> None:
    """Give the body its examples: of JSON where it may be JSON, else of the only type it may have."""
    if not told:
        return
    content = operation["requestBody"]["content"]
    media_type = _JSON if _JSON in content else next(iter(content))
    content[media_type]["examples"] = _named(told)


def add_answers(operation: Operation, told: Mapping[str, Any]) -> None:
    """Give each answer its headers and its examples."""
    for status, mine in told.items():
        answer = operation["responses"][status]
        if "headers" in mine:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in mine["headers"]}
        if "examples" in mine:
            next(iter(answer["content"].values()))["examples"] = _named(mine["examples"])


def _named(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return examples as OpenAPI names them: their names are their summaries."""
    return {name.replace(" ", "-"): {"summary": name, "value": value} for name, value in told.items()}

"""Build the OpenAPI document: what FastAPI finds in the routes, and what it cannot know.

Errors come from errors.py, examples and headers from operations.yaml, the interfaces of others from
compatible.yaml. The test of the description refuses a route without its part of them.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from ruamel.yaml import YAML

from producers.http.description.compatible import compatible_paths
from producers.http.description.errors import Operation, Place, add_errors, error_responses
from producers.http.description.examples import add_answers, add_parameters, add_request
from producers.http.problems import openapi_schemas

SECURITY_SCHEMES: Mapping[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token of a login (POST /auth/login). An API key is taken here, too.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key: drg_..."},
    "deeplAuthKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`DeepL-Auth-Key KEY`, as DeepL's own clients send it; the key is one of ours.",
    },
}
OPEN_PATHS = ("/auth/login", "/health", "/ready", "/metrics")
_OURS = ("token", "apiKey")
_TAGS = {
    "translations": "Texts: submit, follow, read, cancel.",
    "documents": "Files: submit, follow, download.",
    "glossaries": "Terms that have a translation of their own.",
    "languages": "What can be translated.",
    "webhooks": "What came of callbacks, and the secrets that they are signed with.",
    "usage": "What was used.",
    "accounts": "Logins, and the API keys of one's own tenant.",
    "dead letters": "What could not be processed, and sending it again.",
    "tenants": "Of operators: what is done to a whole tenant.",
    "operations": "For supervisors, load balancers and Prometheus.",
    "LibreTranslate": "The interface of LibreTranslate, with its own errors.",
    "DeepL": "The interface of DeepL, with its own errors.",
}
_FIRST_SENTENCE = re.compile(r"(.+?)[.:](?:\s|$)", re.DOTALL)
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Describe every operation of the application, the compatible ones included (OpenAPI 3.1)."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=[{"name": name, "description": said} for name, said in _TAGS.items()],
        servers=[{"url": "/", "description": "This platform."}],
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    told, problems = _read("operations.yaml"), _read("problems.yaml")
    for place, operation in operations_of(document):
        _complete(place, operation, told, problems)
    document["components"] |= {
        "schemas": _schemas(document),
        "responses": error_responses(problems),
        "headers": told["headers"],
        "securitySchemes": dict(SECURITY_SCHEMES),
    }
    document["paths"] |= compatible_paths(_read("compatible.yaml"))
    return document


def operations_of(document: Mapping[str, Any]) -> Iterator[tuple[Place, Operation]]:
    """Yield every operation with its place."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Place(path, method), operation


def _complete(place: Place, operation: Operation, told: Mapping[str, Any], problems: Mapping[str, Any]) -> None:
    is_open = place.path in OPEN_PATHS
    operation["security"] = [] if is_open else [{name: []} for name in _OURS]
    operation["summary"] = _summary(operation["description"])
    own = _own_errors(operation)
    add_errors(place, operation, own, problems)
    mine = told["operations"].get(operation["operationId"], {})
    add_parameters(operation, told["parameters"], mine.get("parameters", {}))
    add_request(operation, mine.get("request", {}))
    add_answers(operation, mine.get("answers", {}))


def _own_errors(operation: Operation) -> list[int]:
    """Return the statuses that the route names without a model of its own; take them and FastAPI's 422 away."""
    answers = operation["responses"]
    bare = [status for status, answer in answers.items() if status >= "4" and "content" not in answer]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
    for status in bare:
        del answers[status]
    return [int(status) for status in bare]


def _summary(description: str) -> str:
    found = _FIRST_SENTENCE.match(description)
    return " ".join((found[1] if found else description).split())


def _schemas(document: Mapping[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    return {name: one for name, one in schemas.items() if name not in _FRAMEWORKS_OWN} | openapi_schemas()


@cache
def _read(name: str) -> Any:  # whatever YAML holds
    return YAML(typ="safe", pure=True).load((files(__package__) / name).read_text("utf-8"))

"""The OpenAPI document: whole, with examples that fit, and with errors as the application answers them."""

import json
from collections import Counter
from pathlib import Path

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from producers.http.app import COMPATIBLE, bare_app
from producers.http.description.openapi import operations_of
from tests.accounts import key_of
from tests.unit.producers.problem import problem_of

ROOT = Path(__file__).parents[3]
STORED = ROOT / "docs" / "reference" / "openapi.json"
DOCUMENT = json.loads(STORED.read_text())
OPERATIONS = [pytest.param(*one, id=one[1]["operationId"]) for one in operations_of(DOCUMENT)]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
URL = "/api/v1/translations"
TEXT = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}


def resolved(found):
    """Return what a reference points to; anything else as it is."""
    while "$ref" in found:
        _, *steps = found["$ref"].split("/")
        found = DOCUMENT
        for step in steps:
            found = found[step]
    return found


def check(schema, value):
    """Raise where the value does not fit the schema of the document."""
    whole = {"$schema": DIALECT, "components": {"schemas": DOCUMENT["components"]["schemas"]}, "allOf": [schema]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(value)


def examples_of(content):
    given = content.get("examples", {"one": {"value": content["example"]}} if "example" in content else {})
    return [one["value"] for one in given.values()]


def test_the_document_is_stored_as_it_is_served(http):
    assert json.loads(json.dumps(bare_app().openapi())) == DOCUMENT, "make it again: make reference"
    assert http.showing("").get("/openapi.json").json() == DOCUMENT


def test_no_two_operations_have_the_same_id():
    ids = Counter(operation["operationId"] for _, operation in operations_of(DOCUMENT))
    assert [name for name, times in ids.items() if times > 1] == []


@pytest.mark.parametrize(("place", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_who_may_ask(place, operation):
    assert 0 < len(operation["summary"]) <= 100
    assert not operation["summary"].endswith(".")
    assert operation["description"].startswith(operation["summary"].split("  ")[0][:10])
    (tag,) = operation["tags"]
    assert tag in {one["name"] for one in DOCUMENT["tags"]}
    schemes = {name for one in operation["security"] for name in one}
    assert schemes <= DOCUMENT["components"]["securitySchemes"].keys()
    assert ("deeplAuthKey" in schemes) <= place.path.startswith(("/v2/", "/v3/"))


@pytest.mark.parametrize(("place", "operation"), OPERATIONS)
def test_every_parameter_is_explained_and_its_example_fits(place, operation):
    for one in operation.get("parameters", ()):
        assert one.get("description"), one["name"]
        check(one["schema"], one["example"])


@pytest.mark.parametrize(("place", "operation"), OPERATIONS)
def test_every_body_has_examples_that_fit(place, operation):
    if "requestBody" in operation:
        bodies = [one for one in operation["requestBody"]["content"].values() if "examples" in one]
        assert bodies
        for one in bodies:
            for value in examples_of(one):
                check(one["schema"], value)


@pytest.mark.parametrize(("place", "operation"), OPERATIONS)
def test_every_answer_has_examples_that_fit(place, operation):
    for status, answer in operation["responses"].items():
        answer = resolved(answer)  # noqa: PLW2901  # what it refers to is the same answer
        assert answer["description"], status
        for header in answer.get("headers", {}).values():
            assert resolved(header)["description"]
        for content in answer.get("content", {}).values():
            assert examples_of(content), status
            for value in examples_of(content):
                check(content.get("schema", {}), value)


@pytest.mark.parametrize(("place", "operation"), OPERATIONS)
def test_every_error_is_a_problem_but_for_the_interfaces_of_others_and_the_probes(place, operation):
    if operation["tags"][0] in ("LibreTranslate", "DeepL") or place.path in ("/health", "/ready"):
        return
    errors = [one for status, one in operation["responses"].items() if status >= "4"]
    assert errors
    for one in errors:
        assert list(resolved(one)["content"]) == ["application/problem+json"]


def test_every_route_of_the_application_is_described_and_nothing_else():
    """The descriptions of the interfaces of others stand in description/compatible.yaml, by hand."""
    routes = {
        (method.lower(), route.path.replace(":path", ""))
        for route in every_route(bare_app().routes)
        for method in route.methods
        if route.include_in_schema or route in compatible_routes()
    }
    assert len(routes) > 40
    assert routes == {(place.method, place.path) for place, _ in operations_of(DOCUMENT)}


def every_route(routes):
    """Yield the routes, and those of included routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from every_route(getattr(getattr(route, "original_router", None), "routes", []))


def compatible_routes():
    return [route for router in COMPATIBLE for route in router.routes]


def asked(http, store, world):
    """Ask for each error; return the answers by the names of problems.yaml."""
    nobody = http.showing("")
    reader = http.showing(key_of(store, scopes=("translations:read",)).text)
    jsonless = {"headers": {"content-type": "text/plain"}}
    found = {
        "MalformedBody": http.post(URL, content=b"{", headers={"content-type": "application/json"}),
        "Unauthenticated": nobody.post(URL, json=TEXT),
        "WrongPassword": nobody.post("/auth/login", json={"email": "eve@acme.example", "password": "x"}),
        "Forbidden": reader.post(URL, json=TEXT),
        "UnknownJob": http.get(f"{URL}/order-4711"),
        "UnknownKey": http.delete("/api/v1/keys/ca42007e07a0"),
        "NoSuchGlossary": http.get("/api/v1/glossaries/shop"),
        "BodyTooLarge": http.post(URL, json=TEXT | {"text": "x" * 30_000}),
        "UnsupportedMediaType": http.post(URL, content=b"text=hello", **jsonless),
        "Invalid": http.post(URL, json=TEXT | {"text": 7}),
    }
    http.post("/api/v1/translations", json=TEXT | {"request_id": "order-4712"})
    world.take_away("kafka")
    found["Unavailable"] = http.post(URL, json=TEXT)
    world.away["kafka"] = ValueError("something that nobody expected")
    found["Unexpected"] = http.post(URL, json=TEXT)
    return found


def test_the_examples_of_errors_are_what_the_application_answers(http, store, world):
    responses = DOCUMENT["components"]["responses"]
    for name, answer in asked(http, store, world).items():
        example = responses[name]["content"]["application/problem+json"]["example"]
        # The title is the reason phrase, which depends on the version of Python.
        assert answer.json() | {"title": ""} == example | {"title": ""}, name
        assert responses[name]["headers"].keys() <= {header.title() for header in answer.headers} | {
            "WWW-Authenticate" if "www-authenticate" in answer.headers else ""
        }


def test_the_errors_that_need_a_world_of_their_own_are_described_with_a_cause_and_a_cure():
    """What a used-up budget, a used-up rate and an unfinished file look like is tested where they arise."""
    responses = DOCUMENT["components"]["responses"]
    for name in ("BudgetUsedUp", "TooMany", "NotFinished"):
        example = responses[name]["content"]["application/problem+json"]["example"]
        assert example["type"].startswith("urn:dragoman:problem:")
        assert example["cure"]


def test_errors_of_no_operation_are_problems_too(http):
    problem_of(http.get("/nothing"), 404, "not_found")
    problem_of(http.ask("PUT", URL), 405, "method_not_allowed")

"""Every error is a problem with a cause and a cure, and none repeats the text."""

import pytest

from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}


def test_all_malformed_fields_are_named_at_once(http):
    problem = problem_of(
        http.post(URL, json={"text": 7, "targets": [], "tenant": "", "x": 1}), 422, "invalid_request"
    )
    assert {error["field"] for error in problem["errors"]} == {"text", "targets", "tenant", "x"}


@pytest.mark.parametrize(
    ("content", "content_type", "status", "cause"),
    [
        (b"{", "application/json", 400, "malformed_body"),
        (b'{"text": "\xff"}', "application/json", 400, "malformed_body"),
        (b"text=hello", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"[1]", "application/json", 422, "invalid_request"),
        (b'{"text": "\\ud800", "target_language": "pt"}', "application/json", 422, "invalid_request"),
    ],
)
def test_a_body_that_is_no_request_is_a_problem_too(http, content, content_type, status, cause):
    problem_of(http.post(URL, content=content, headers={"content-type": content_type}), status, cause)


def test_no_error_repeats_the_text(http, world):
    secret = "the secret " * 300
    refused = [
        http.post(URL, json=BODY | {"text": secret}),
        http.post(URL, json=BODY | {"text": [secret]}),
        http.post(URL, content=secret),
        http.post(URL, json=BODY | {"text": "the secret", "priority": "x"}),
    ]
    world.away["kafka"] = ValueError("about the secret")
    refused.append(http.post(URL, json=BODY | {"text": "the secret"}))
    problem_of(refused[-1], 500, "internal_error")
    assert all(answer.is_error and "secret" not in answer.text for answer in refused)


def test_unknown_addresses_and_methods_are_problems(http):
    problem_of(http.get("/api/v2"), 404, "not_found")
    answer = http.delete(URL)
    problem_of(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


def test_the_openapi_document_describes_problems_and_nothing_of_the_frameworks_own(http):
    document = http.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    post = document["paths"][URL]["post"]
    assert post["responses"]["422"] == {"$ref": "#/components/responses/Invalid"}
    assert "application/problem+json" in document["components"]["responses"]["Invalid"]["content"]
    assert {"Problem", "FieldProblem", "Submission", "JobResponse"} <= schemas.keys()
    assert "HTTPValidationError" not in schemas
    assert {"Idempotency-Key", "traceparent", "prefer", "wait"} == {
        part["name"].title() if "dempot" in part["name"] else part["name"] for part in post["parameters"]
    }


def test_names_that_no_answer_could_be_encoded_with_are_refused_too(http):
    body = b'{"text": "a", "target_language": "pt", "metadata": {"\\ud800": ""}, "\\udfff": 1}'
    answer = http.post(URL, content=body, headers={"content-type": "application/json"})
    problem_of(answer, 422, "invalid_request")

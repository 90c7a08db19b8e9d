"""POST /api/v1/translations: what is accepted, what becomes of it, what is refused and how."""

import pytest

from connectors.redis.job_view import JobView

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}


def problem_of(answer, status, cause):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:dragoman:problem:{cause}"
    assert problem["status"] == status
    assert problem["cure"]
    return problem


async def in_chunks(body):
    for start in range(0, len(body), 15_000):
        yield body[start : start + 15_000]


def test_an_accepted_request_is_in_kafka_and_the_answer_says_where_to_look(http, world):
    answer = http.post(URL, json=BODY | {"priority": "critical", "metadata": {"ticket": "7"}})
    (request, priority, headers) = world.appended[0]
    assert answer.status_code == 202
    assert answer.json() == {
        "job_id": request.request_id,
        "status_url": f"http://testserver{URL}/{request.request_id}",
        "priority": "critical",
        "sla_seconds": 30,
    }
    assert answer.headers["location"] == answer.json()["status_url"]
    assert (request.text, request.source_language, request.target_language) == ("Good morning.", "en", "pt")
    assert (request.tenant, request.priority, request.metadata) == ("default", "critical", {"ticket": "7"})
    assert request.submitted_at == 1_700_000_000_000
    assert priority == "critical"
    assert headers == {"schema": b"TranslationRequest", "tenant": b"default", "priority": b"critical"}


def test_the_source_language_is_detected_where_none_is_named(http, world):
    http.post(URL, json={"text": "Bom dia.", "target_language": "en"})
    assert world.appended[0][0].source_language == "auto"


@pytest.mark.parametrize(
    ("score", "priority"), [(100, "critical"), (90, "critical"), (89, "high"), (69, "standard")]
)
def test_a_score_becomes_a_priority(http, world, score, priority):
    assert http.post(URL, json=BODY | {"priority": score}).json()["priority"] == priority
    assert world.appended[0][1] == priority


def test_the_same_idempotency_key_gives_the_same_job_for_one_tenant_and_another_for_the_next(http):
    def job_id(tenant):
        answer = http.post(URL, json=BODY | {"tenant": tenant}, headers={"Idempotency-Key": "order-7"})
        return answer.json()["job_id"]

    assert job_id("acme") == job_id("acme")
    assert job_id("acme") != job_id("globex")


def test_a_chosen_request_id_is_kept(http):
    assert http.post(URL, json=BODY | {"request_id": "order-7"}).json()["job_id"] == "order-7"


def test_a_chosen_id_and_an_idempotency_key_are_one_too_many(http):
    answer = http.post(URL, json=BODY | {"request_id": "a"}, headers={"Idempotency-Key": "b"})
    assert problem_of(answer, 422, "two_ids")["field"] == "request_id"


def test_a_trace_is_carried_on_and_a_malformed_one_is_dropped(http, world):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    http.post(URL, json=BODY, headers={"traceparent": trace})
    http.post(URL, json=BODY, headers={"traceparent": "x\x7f"})
    assert world.appended[0][2]["traceparent"] == trace.encode()
    assert "traceparent" not in world.appended[1][2]


def test_a_text_too_large_for_kafka_goes_to_the_object_store(http, world):
    text = "é" * 600
    http.post(URL, json=BODY | {"text": text, "request_id": "long"})
    request = world.appended[0][0]
    assert (request.text, request.content_ref) == (None, "requests/long")
    assert world.texts["requests/long"] == text


@pytest.mark.parametrize(
    ("change", "cause", "field"),
    [
        ({"text": " \n"}, "empty_text", "text"),
        ({"text": "a" * 2001}, "text_too_long", "text"),
        ({"text": 7}, "invalid_request", "text"),
        ({"target_language": "portuguese"}, "malformed_language", "target_language"),
        ({"source_language": "??"}, "malformed_language", "source_language"),
        ({"priority": "urgent"}, "unknown_priority", "priority"),
        ({"priority": 101}, "score_out_of_range", "priority"),
        ({"request_id": "a/b"}, "invalid_request", "request_id"),
        ({"tenant": "ac me"}, "invalid_request", "tenant"),
        ({"target_language": "EN"}, "same_language", "target_language"),
        ({"glossary": "a b"}, "invalid_request", "glossary"),
        ({"deadline": "2001-01-01T00:00:00Z"}, "bad_deadline", "deadline"),
        ({"deadline": "2101-01-01T00:00:00Z"}, "bad_deadline", "deadline"),
        ({"deadline": "2101-01-01T00:00:00"}, "invalid_request", "deadline"),
        ({"content_type": "application/pdf"}, "unsupported_content_type", "content_type"),
        ({"metadata": {str(n): "" for n in range(33)}}, "metadata_too_large", "metadata"),
        ({"metadata": {"a": "é" * 4096}}, "metadata_too_large", "metadata"),
        ({"options": {"a": "b" * 257}}, "bad_options", "options"),
        ({"options": {"A": "b"}}, "bad_options", "options"),
        ({"colour": "red"}, "invalid_request", "colour"),
    ],
)
def test_a_bad_field_is_refused_by_name_with_a_cure(http, world, change, cause, field):
    problem = problem_of(http.post(URL, json=BODY | change), 422, cause)
    assert problem["field"] == field
    assert problem["instance"] == URL
    assert not world.appended


def test_all_malformed_fields_are_named_at_once(http):
    problem = problem_of(http.post(URL, json={"tenant": "", "x": 1}), 422, "invalid_request")
    assert {error["field"] for error in problem["errors"]} == {"text", "target_language", "tenant", "x"}


def test_an_unsupported_pair_is_refused_with_the_list_of_pairs(http, world):
    world.served = ["en-pt", "pt-en"]
    problem = problem_of(http.post(URL, json=BODY | {"target_language": "ja"}), 422, "unsupported_pair")
    assert problem["limit"] == "en-pt, pt-en"
    assert http.post(URL, json=BODY).status_code == 202


@pytest.mark.parametrize(("source", "target"), [("en-GB", "pt-BR"), ("auto", "pt-BR"), ("auto", "pt")])
def test_a_pair_of_languages_serves_its_regions(http, world, source, target):
    world.served = ["en-pt"]
    assert http.post(URL, json=BODY | {"source_language": source, "target_language": target}).status_code == 202


def test_every_pair_may_pass_while_nobody_can_say_which_are_served(http, world):
    world.take_away("redis")
    assert http.post(URL, json=BODY | {"target_language": "ja"}).status_code == 202


def test_nothing_is_promised_when_kafka_does_not_acknowledge(http, world):
    world.take_away("kafka", retry_after_seconds=5)
    answer = http.post(URL, json=BODY)
    problem_of(answer, 503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("declares_its_length", [True, False])
def test_a_body_that_is_too_large_is_refused_while_it_arrives(http, declares_its_length):
    body = b'{"text": "' + b"a" * 30_000 + b'", "target_language": "pt"}'
    content = body if declares_its_length else in_chunks(body)
    answer = http.post(URL, content=content, headers={"content-type": "application/json"})
    assert problem_of(answer, 413, "body_too_large")["limit"] == "20000 bytes"


def test_a_length_of_more_digits_than_a_number_may_have_is_too_large(http):
    headers = {"content-type": "application/json", "content-length": "9" * 5_000}
    problem_of(http.post(URL, content=b"{}", headers=headers), 413, "body_too_large")


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
    assert "application/problem+json" in post["responses"]["422"]["content"]
    assert {"Problem", "FieldProblem", "Submission", "JobResponse"} <= schemas.keys()
    assert "HTTPValidationError" not in schemas
    assert {"Idempotency-Key", "traceparent"} == {
        part["name"].title() if "dempot" in part["name"] else part["name"] for part in post["parameters"]
    }


def test_metrics_count_by_route_and_never_by_job(http, world):
    world.views["job-42"] = JobView(request_id="job-42", tenant="default", stage="ACCEPTED")
    http.get(f"{URL}/job-42")
    text = http.get("/metrics").text
    assert 'dragoman_http_requests_total{method="GET",route="/api/v1/translations/{job_id}",status="200"}' in text
    assert "job-42" not in text


def test_languages_are_those_that_workers_announced(http, world):
    world.served = ["pt-en", "en-pt"]
    assert http.get("/api/v1/languages").json() == {"pairs": ["en-pt", "pt-en"]}


def test_names_that_no_answer_could_be_encoded_with_are_refused_too(http):
    body = b'{"text": "a", "target_language": "pt", "metadata": {"\\ud800": ""}, "\\udfff": 1}'
    answer = http.post(URL, content=body, headers={"content-type": "application/json"})
    problem_of(answer, 422, "invalid_request")

"""POST /api/v1/translations: what is accepted, what becomes of it, what is refused."""

import pytest

from connectors.redis.job_view import JobView
from stream_apps.pipeline.request_limits import RequestLimits
from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}


def test_an_accepted_request_is_in_kafka_and_the_answer_says_where_to_look(http, world):
    answer = http.post(URL, json=BODY | {"priority": "critical", "metadata": {"ticket": "7"}})
    (request, priority, headers) = world.appended[0]
    assert answer.status_code == 202
    assert answer.json() == {
        "job_id": request.request_id,
        "status": "QUEUED",
        "position_in_queue": None,
        # By the service level, as nothing is measured yet.
        "estimated_completion": "2023-11-14T22:13:50Z",
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


@pytest.mark.parametrize("name", ["STANDARD", "Standard", "standard"])
def test_a_priority_may_be_written_in_any_case(http, world, name):
    assert http.post(URL, json=BODY | {"priority": name}).json()["priority"] == "standard"
    assert world.appended[0][0].priority == "standard"


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


def test_the_status_url_of_a_tenant_that_was_named_leads_to_its_job(http, world):
    accepted = http.post(URL, json=BODY | {"request_id": "order-7", "tenant": "globex"}).json()
    assert accepted["status_url"] == f"http://testserver{URL}/order-7?tenant=globex"
    request = world.appended[0][0]
    world.views[request.key] = JobView(key=request.key)
    assert http.get(accepted["status_url"]).json()["tenant"] == "globex"


def test_what_a_caller_wishes_reaches_intake(http, world):
    wishes = {
        "do_not_translate": ["Post Office"],
        "engine_options": {"tone": "soft"},
        "late_policy": "serve",
        "labels": {"cost": "a"},
    }
    http.post(URL, json=BODY | wishes)
    request = world.appended[0][0]
    assert {name: getattr(request, name) for name in wishes} == wishes


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
    assert (request.text, request.content_ref) == (None, "requests/default/long")
    assert world.texts["requests/default/long"] == text


@pytest.mark.parametrize(
    ("change", "cause", "field"),
    [
        ({"text": " \n"}, "empty_text", "text"),
        ({"text": "a" * 2001}, "text_too_long", "text"),
        ({"text": 7}, "invalid_request", "text"),
        ({"text": None}, "one_content", "text"),
        ({"text": None, "texts": []}, "one_content", "text"),
        ({"texts": ["a"]}, "one_content", "texts"),
        ({"text": None, "texts": ["a", 7]}, "invalid_request", "texts.1"),
        ({"text": None, "texts": ["a", {"id": "b"}]}, "invalid_request", "texts.1.text"),
        ({"text": None, "texts": ["a", {"id": "", "text": "b"}]}, "invalid_request", "texts.1.id"),
        ({"text": None, "texts": ["a", "b\x1ec"]}, "separator_in_text", "texts[1]"),
        ({"text": None, "texts": [{"id": "a", "text": ""}] * 2}, "text_id_reused", "texts[1].id"),
        (
            {"text": None, "texts": [{"id": "a", "text": "b"}], "metadata": {"text_ids": ""}},
            "reserved_metadata",
            "metadata",
        ),
        ({"text": None, "texts": ["é" * 600]}, "texts_too_large", "texts"),
        ({"target_language": None}, "no_target", "target_language"),
        ({"targets": ["es"]}, "bad_targets", "targets"),
        ({"target_language": None, "targets": []}, "invalid_request", "targets"),
        ({"target_language": None, "targets": ["es", "?"]}, "malformed_language", "targets[1]"),
        ({"target_language": None, "targets": ["pt-BR", "es", "pb"]}, "bad_targets", "targets"),
        ({"target_language": None, "targets": ["es"] * 21}, "bad_targets", "targets"),
        ({"target_language": "portuguese"}, "malformed_language", "target_language"),
        ({"source_language": "??"}, "malformed_language", "source_language"),
        ({"priority": "urgent"}, "unknown_priority", "priority"),
        ({"priority": 101}, "score_out_of_range", "priority"),
        ({"request_id": "a/b"}, "invalid_request", "request_id"),
        ({"tenant": "ac me"}, "invalid_request", "tenant"),
        ({"tenant": "a/b"}, "invalid_request", "tenant"),
        ({"tenant": "Acme"}, "invalid_request", "tenant"),
        ({"late_policy": "never"}, "invalid_request", "late_policy"),
        ({"glossaries": ["a b"]}, "invalid_request", "glossaries.0"),
        ({"deadline": "2001-01-01T00:00:00Z"}, "bad_deadline", "deadline"),
        ({"deadline": "2101-01-01T00:00:00Z"}, "bad_deadline", "deadline"),
        ({"deadline": "2101-01-01T00:00:00"}, "invalid_request", "deadline"),
        ({"content_type": "application/pdf"}, "unsupported_content_type", "content_type"),
        ({"format": "pdf"}, "invalid_request", "format"),
        ({"format": "xml", "content_type": "text/html"}, "invalid_request", "body"),
        ({"format": "html", "filter_options": {"a": "b"}}, "unknown_filter_option", "filter_options.a"),
        ({"filter_options": {"ignore_tags": "b"}}, "not_supported", "filter_options"),
        ({"metadata": {str(n): "" for n in range(33)}}, "metadata_too_large", "metadata"),
        ({"metadata": {"a": "é" * 4096}}, "metadata_too_large", "metadata"),
        ({"engine_options": {"a": "b" * 257}}, "bad_options", "engine_options"),
        ({"engine_options": {"A": "b"}}, "bad_options", "engine_options"),
        ({"labels": {str(n): "" for n in range(33)}}, "metadata_too_large", "metadata"),
        ({"colour": "red"}, "invalid_request", "colour"),
    ],
)
def test_a_bad_field_is_refused_by_name_with_a_cure(http, world, change, cause, field):
    problem = problem_of(http.post(URL, json=BODY | change), 422, cause)
    assert problem["field"] == field
    assert problem["instance"] == URL
    assert not world.appended


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, "text/plain"),
        ({"format": "text"}, "text/plain"),
        ({"format": "html"}, "text/html"),
        ({"format": "xml", "content_type": "application/xml"}, "application/xml"),
        ({"content_type": "text/html"}, "text/html"),
    ],
)
def test_a_text_is_of_the_type_that_it_is_said_to_be_of(http, world, said, meant):
    http.post(URL, json=BODY | said)
    assert [one.content_type for one, _, _ in world.appended] == [meant]


@pytest.mark.parametrize(
    ("limit", "change", "cause"),
    [
        ({"max_id_length": 5}, {"request_id": "order-7"}, "bad_request_id"),
        ({"max_id_length": 7}, {"request_id": "a", "glossaries": ["glossary"]}, "bad_glossary"),
        ({"max_glossaries": 1}, {"glossaries": ["a", "b"]}, "too_many_glossaries"),
        ({"max_options": 0}, {"engine_options": {"a": "b"}}, "bad_options"),
        ({"max_terms": 1}, {"do_not_translate": ["a", "b"]}, "bad_terms"),
        ({"max_deadline_days": 1}, {"deadline": "2023-11-17T00:00:00+01:00"}, "bad_deadline"),
    ],
)
def test_whatever_intake_would_refuse_is_refused_at_once(http, world, limit, change, cause):
    http.app.state.request_limits = RequestLimits(**limit)
    problem = problem_of(http.post(URL, json=BODY | change), 422, cause)
    assert problem["limit"]
    assert not world.appended


def test_an_unsupported_pair_is_refused_with_the_list_of_pairs(http, world):
    world.served = ["en-pt", "pt-en"]
    problem = problem_of(http.post(URL, json=BODY | {"target_language": "ja"}), 422, "unsupported_pair")
    assert problem["limit"] == "en-pt, pt-en"
    assert http.post(URL, json=BODY).status_code == 202


def test_a_refusal_names_the_nearest_pair_that_is_offered(http, world):
    world.served = ["en-pt-BR", "en-de"]
    problem = problem_of(http.post(URL, json=BODY | {"target_language": "pt-PT"}), 422, "unsupported_pair")
    assert "en-pt-BR, the nearest one" in str(problem)


@pytest.mark.parametrize(
    ("source", "target", "canonical"),
    [("eng", "pb", "pt-BR"), ("en_US", "PT_br", "pt-BR"), ("en", "por", "pt"), ("pt", "pt-BR", "pt-BR")],
)
def test_a_request_names_its_languages_by_canonical_codes(http, world, source, target, canonical):
    world.served = ["en-pt"]
    body = BODY | {"source_language": source, "target_language": target}
    assert http.post(URL, json=body).status_code == 202
    assert world.appended[0][0].target_language == canonical


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


def test_languages_are_those_that_workers_announced(http, world):
    world.served = ["pt-en", "en-pt"]
    assert http.get("/api/v1/languages").json() == {
        "pairs": ["en-pt", "pt-en"],
        "sources": ["en", "pt"],
        "targets": ["en", "pt"],
        "sets": [{"sources": ["en"], "targets": ["pt"]}, {"sources": ["pt"], "targets": ["en"]}],
        "languages": [
            {"code": "en", "name": "English", "own_name": "English"},
            {"code": "pt", "name": "Portuguese", "own_name": "português"},
        ],
    }


def test_thousands_of_pairs_are_shown_as_sets(http, world):
    names = [f"{one}{other}" for one in "abcdefghijkl" for other in "abc"]
    world.served = [f"en-{name}" for name in names] + [f"{name}-en" for name in names]
    said = http.get("/api/v1/languages").json()
    assert said["pairs"] is None
    assert said["sources"] == said["targets"] == sorted([*names, "en"])
    assert all(one.keys() == {"sources", "targets"} for one in said["sets"])
    assert http.post(URL, json=BODY | {"source_language": "aa", "target_language": "lc"}).status_code == 202


def test_each_address_that_callers_use_is_in_the_urls_that_they_get(http):
    urls = [
        http.post("/api/v1/translations", json={"text": "Hi", "target_language": "pt"}, headers={"Host": host})
        for host in ("a.example", "b.example:8080", "a.example")
    ]
    shown = [(one.json()["status_url"], one.json()["job_id"]) for one in urls]
    hosts = ("a.example", "b.example:8080", "a.example")
    assert [url for url, _ in shown] == [
        f"http://{host}/api/v1/translations/{job}" for host, (_, job) in zip(hosts, shown, strict=True)
    ]
    assert urls[0].headers["location"] == shown[0][0]

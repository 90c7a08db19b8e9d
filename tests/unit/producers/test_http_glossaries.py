"""Glossaries by HTTP: made, listed, shown, deleted, and refused by name where there is none."""

import json

import pytest

from tests.accounts import key_of
from tests.unit.producers.problem import problem_of

URL, TRANSLATIONS = "/api/v1/glossaries", "/api/v1/translations"
WISH = {
    "name": "terms",
    "source_language": "en",
    "target_language": "pt",
    "entries": {"release": "liberação", "Blue Bird": "Pássaro Azul"},
}
NAMED = {name: value for name, value in WISH.items() if name != "entries"}
BODY = {"text": "The release.", "target_language": "pt", "glossaries": ["terms"]}


@pytest.fixture
def caller(http, store):
    return http.showing(key_of(store, "acme").text)


def test_a_known_name_gets_a_new_version_and_old_ones_stay(caller):
    assert caller.post(URL, json=WISH).json()["exact_name"] == "terms@1"
    made = caller.post(URL, json=WISH | {"entries": {"release": "versão"}})
    assert (made.status_code, made.json()["versions"]) == (201, [1, 2])
    assert [one["exact_name"] for one in caller.get(URL).json()] == ["terms@2"]
    assert caller.get(f"{URL}/terms").json()["entries"] == {"release": "versão"}
    assert caller.get(f"{URL}/terms?version=1").json()["entries"] == WISH["entries"]
    assert caller.get(f"{URL}/terms@1").json()["entry_count"] == 2


def test_json_may_begin_with_a_byte_order_mark(caller):
    body = json.dumps(WISH).encode("utf-8-sig")
    assert caller.post(URL, content=body, headers={"Content-Type": "application/json"}).status_code == 201


@pytest.mark.parametrize("form", ["csv", "tsv", "tbx"])
def test_a_file_that_was_given_out_can_be_sent_again(caller, form):
    caller.post(URL, json=WISH)
    given = caller.get(f"{URL}/terms?format={form}")
    kind = given.headers["content-type"]
    again = caller.post(URL, params=NAMED, content=given.content, headers={"Content-Type": kind})
    assert again.json()["version"] == 2
    assert caller.get(f"{URL}/terms").json()["entries"] == WISH["entries"]


def test_a_number_is_never_used_again_after_a_deletion(caller):
    caller.post(URL, json=WISH)
    caller.post(URL, json=WISH)
    assert caller.delete(f"{URL}/terms?version=1").status_code == 204
    problem_of(caller.get(f"{URL}/terms@1"), 404, "no_such_glossary")
    assert caller.delete(f"{URL}/terms").status_code == 204
    assert caller.get(URL).json() == []
    assert caller.post(URL, json=WISH).json()["exact_name"] == "terms@3"


@pytest.mark.parametrize(
    ("change", "cause", "field"),
    [
        ({"name": "a b"}, "bad_glossary_name", "name"),
        ({"target_language": "?"}, "malformed_language", "target_language"),
        ({"target_language": "en-GB"}, "same_language", "target_language"),
        ({"entries": {}}, "bad_entries", "entries"),
        ({"entries": {"a": ""}}, "bad_entries", "entries"),
        ({"entries": {"a": "x" * 201}}, "bad_entries", "entries"),
        ({"entries": {str(number): "" for number in range(2)}}, "bad_entries", "entries"),
        ({"more": 1}, "invalid_request", "more"),
    ],
)
def test_what_is_wrong_is_told_with_field_limit_and_cure(caller, change, cause, field):
    problem = problem_of(caller.post(URL, json=WISH | change), 422, cause)
    assert problem["field"] == field
    assert problem["cure"]


def test_a_mistake_in_a_file_is_told_by_its_line(caller):
    sent = caller.post(URL, params=NAMED, content=b"a,b\nc,d,e", headers={"Content-Type": "text/csv"})
    assert "line 2: there are 3 columns" in problem_of(sent, 422, "bad_entries")["detail"]


def test_a_body_of_another_kind_is_415(caller):
    problem_of(
        caller.post(URL, content=b"a", headers={"Content-Type": "image/png"}), 415, "unsupported_media_type"
    )


@pytest.mark.parametrize(
    ("wish", "cause"),
    [
        ({}, "unknown_glossary"),
        ({"glossaries": ["terms@7"]}, "unknown_glossary"),
        ({"target_language": "de", "glossaries": ["made"]}, "glossary_of_other_languages"),
        ({"source_language": "fr", "glossaries": ["made"]}, "glossary_of_other_languages"),
    ],
)
def test_a_submission_that_names_one_there_is_not_is_refused_at_once(caller, world, wish, cause):
    caller.post(URL, json=WISH | {"name": "made"})
    problem = problem_of(caller.post(TRANSLATIONS, json=BODY | wish), 422, cause)
    assert problem["field"] == "glossaries"
    assert not world.appended


def test_a_submission_that_names_one_there_is_goes_to_kafka_with_its_name(caller, world):
    caller.post(URL, json=WISH)
    assert caller.post(TRANSLATIONS, json=BODY).status_code == 202
    assert world.appended[0][0].glossaries == ["terms"]


def test_a_foreign_glossary_is_not_there(http, store, caller):
    caller.post(URL, json=WISH)
    other = http.showing(key_of(store, "globex").text)
    assert other.get(URL).json() == []
    for answer in (other.get(f"{URL}/terms"), other.delete(f"{URL}/terms")):
        problem_of(answer, 404, "no_such_glossary")
    problem_of(other.post(TRANSLATIONS, json=BODY), 422, "unknown_glossary")

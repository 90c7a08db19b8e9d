"""The interface of DeepL: its shapes, its refusals, and what is accepted without effect."""

import gzip
import json

import pytest
from deepl.util import parse_timestamp

from producers.http.compatible.multilingual import creation_time
from schemas.messages import changed
from stream_apps.accounts.changes import Change, TenantChange, changed_tenant
from tests.accounts import NOW_MS, key_of
from tests.http_world import in_capitals

URL = "/v2/translate"
BODY = {"text": ["Good morning."], "target_lang": "PT-BR"}


@pytest.fixture
def answering(http, world):
    world.answer, world.served = in_capitals, ["en-pt", "pt-en"]
    return http


def message_of(answer, status=400):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    (told,) = answer.json().items()
    assert told[0] == "message"
    return told[1]


def texts_of(answer):
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["translations"]]


def test_texts_come_back_in_their_places_with_their_language(answering):
    answer = answering.post(URL, json=BODY | {"text": ["One.", "", " "], "source_lang": "EN"})
    assert answer.json() == {
        "translations": [
            {"detected_source_language": "EN", "text": "ONE."},
            {"detected_source_language": "EN", "text": ""},
            {"detected_source_language": "EN", "text": " "},
        ]
    }


def test_a_form_repeats_its_field(answering, world):
    answer = answering.post(URL, content=b"text=One.&text=&text=Two.&target_lang=pt", headers={
        "content-type": "application/x-www-form-urlencoded"
    })  # fmt: skip
    assert texts_of(answer) == ["ONE.", "", "TWO."]
    assert world.detected == [(["One.", "", "Two."], ["en", "pt"])]
    assert world.appended[0][0].source_language == "en"


def test_the_key_is_in_a_header_or_in_the_form(http, world, store):
    world.answer = in_capitals
    key, nobody = key_of(store, "acme", role="member").text, http.showing("")
    form = {"text": "a", "target_lang": "pt"}
    assert texts_of(nobody.post(URL, data=form | {"auth_key": key})) == ["A"]
    assert texts_of(nobody.post(URL, json=BODY, headers={"Authorization": f"DeepL-Auth-Key {key}"}))
    assert {one.tenant for one, _, _ in world.appended} == {"acme"}


@pytest.mark.parametrize(
    "options",
    [
        {"split_sentences": "0"},
        {"split_sentences": "nonewlines", "preserve_formatting": True, "context": "a menu"},
        {"formality": "prefer_less"},
        {"formality": "default", "outline_detection": False},
        {"tag_handling": "", "glossary_id": None, "custom_instructions": []},
        {"splitting_tags": ["p"], "colour": "red"},
    ],
)
def test_what_changes_no_translation_is_accepted(answering, options):
    assert texts_of(answering.post(URL, json=BODY | options)) == ["GOOD MORNING."]


@pytest.mark.parametrize(
    ("options", "content_type", "told"),
    [
        ({"tag_handling": "html"}, "text/html", {}),
        ({"tag_handling": "html", "tag_handling_version": "v2"}, "text/html", {}),
        ({"tag_handling": "xml", "outline_detection": False}, "application/xml", {"outline_detection": "0"}),
        (
            {
                "tag_handling": "xml",
                "ignore_tags": ["x", "y"],
                "splitting_tags": "p,q",
                "non_splitting_tags": ["b"],
            },
            "application/xml",
            {"ignore_tags": "x,y", "splitting_tags": "p,q", "non_splitting_tags": "b"},
        ),
        ({"ignore_tags": ["x"]}, "text/plain", {}),
    ],
)
def test_tags_are_handled_as_they_are_asked_to_be(answering, world, options, content_type, told):
    texts_of(answering.post(URL, json=BODY | options))
    asked, _, _ = world.appended[0]
    assert (asked.content_type, asked.filter_options) == (content_type, told)


def test_the_language_of_a_text_with_tags_is_that_of_its_words(answering, world):
    texts = ["<p class='the'>Bom <b>dia</b></p>"]
    answering.post(URL, json={"text": texts, "target_lang": "PT-BR", "tag_handling": "html"})
    assert world.detected == [(["Bom dia"], ["en", "pt"])]


def test_characters_and_model_are_told_where_they_are_asked_for(answering):
    wish = {"show_billed_characters": True, "model_type": "quality_optimized"}
    (one,) = answering.post(URL, json=BODY | wish).json()["translations"]
    assert (one["billed_characters"], one["model_type_used"]) == (13, "latency_optimized")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": "Good morning."}, "text is no array"),
        ({"text": []}, "text is missing"),
        ({"text": None}, "text is no array"),
        ({"text": ["a", None]}, "text[1] is no string"),
        ({"text": ["a", "\ud800"]}, "text[1] holds a lone surrogate"),
        ({"text": ["a\x1e"]}, "text[0] holds the character U+001E"),
        ({"text": ["a"] * 1001}, "text has 1001 texts"),
        ({"target_lang": ""}, "target_lang is missing"),
        ({"target_lang": "PORTUGUESE"}, "target_lang is 'PORTUGUESE'"),
        ({"source_lang": "?"}, "source_lang is '?'"),
        ({"target_lang": "JA"}, "no model translates en-ja"),
        ({"formality": "more"}, "'formality' is not supported for given 'target_lang'"),
        ({"split_sentences": "2"}, "split_sentences is '2'"),
        ({"model_type": "best"}, "model_type is 'best'"),
        ({"tag_handling": "markdown"}, "tag_handling is 'markdown'"),
        ({"tag_handling": "xml", "ignore_tags": ["x" * 300]}, "filter_options.ignore_tags has 300 characters"),
        ({"glossary_id": "a", "source_lang": ""}, "source_lang is missing"),
        ({"glossary_ids": ["a"], "source_lang": ""}, "source_lang is missing"),
        ({"glossary_ids": ["a"], "glossary_id": "b"}, "glossary_ids and glossary_id are both set"),
        ({"glossary_ids": list("abcdef")}, "glossary_ids has 6 ids"),
        ({"custom_instructions": ["be nice"]}, "custom_instructions is not supported yet"),
    ],
)
def test_a_wrong_parameter_is_told_by_its_name(answering, world, change, words):
    content = json.dumps(BODY | change)
    answer = answering.post(URL, content=content, headers={"content-type": "application/json"})
    assert words in message_of(answer)
    assert not world.appended


def test_a_compressed_body_is_read(answering):
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = answering.post(URL, content=gzip.compress(json.dumps(BODY).encode()), headers=packed)
    assert texts_of(answer) == ["GOOD MORNING."]


def test_characters_that_are_used_up_are_456_as_in_the_original(answering, store):
    wish = TenantChange(limits={"characters_per_day": 20})
    store.change(lambda found: [changed_tenant(found, "acme", wish, Change("tests", NOW_MS))])
    caller = answering.showing(key_of(store, "acme").text)
    assert texts_of(caller.post(URL, json=BODY))
    assert "characters" in message_of(caller.post(URL, json=BODY), 456)


def test_usage_is_that_of_the_callers_tenant_today(http, world, store):
    wish = TenantChange(limits={"characters_per_day": 500})
    store.change(lambda found: [changed_tenant(found, "acme", wish, Change("tests", NOW_MS))])
    world.used = [{"name": "2023-11-14", "requests": 1, "words": 5, "characters": 30}]
    caller = http.showing(key_of(store, "acme").text)
    assert caller.get("/v2/usage").json() == {"character_count": 30, "character_limit": 500}
    assert (world.questions[0].tenant, str(world.questions[0].since)) == ("acme", "2023-11-14")
    world.take_away("books")
    assert "books is away" in message_of(caller.get("/v2/usage"), 503)


def test_languages_are_those_that_workers_announced(http, world):
    world.served = ["en-pt"]
    assert http.get("/v2/languages").json() == [{"language": "EN", "name": "English"}]
    assert http.get("/v2/languages?type=target").json()[0] == {
        "language": "PT", "name": "Portuguese", "supports_formality": False,
    }  # fmt: skip
    assert "type is 'all'" in message_of(http.get("/v2/languages?type=all"))


@pytest.mark.parametrize(("method", "path"), [("POST", URL), ("GET", "/v2/usage"), ("GET", "/v2/languages")])
def test_without_a_key_and_without_the_scope_there_is_nothing(http, store, world, method, path):
    message_of(http.showing("").ask(method, path, json=BODY), 403)
    narrow = key_of(store, "acme", scopes=("documents:read",)).text
    assert "no scope" in message_of(http.showing(narrow).ask(method, path, json=BODY), 403)
    assert not world.appended


def test_a_glossary_is_made_shown_used_and_deleted(answering, world):
    world.served = ["en-pt"]
    pairs = answering.get("/v2/glossary-language-pairs").json()["supported_languages"]
    assert pairs == [{"source_lang": "en", "target_lang": "pt"}]
    wish = {"name": "My terms", "source_lang": "EN", "target_lang": "PT", "entries": "release\tliberação"}
    made = answering.post("/v2/glossaries", data=wish | {"entries_format": "tsv"}).json()
    assert (made["glossary_id"], made["entry_count"], made["ready"]) == ("My-terms@1", 1, True)
    assert answering.get("/v2/glossaries").json() == {"glossaries": [made]}
    one = "/v2/glossaries/My-terms@1"
    assert answering.get(one).json() == made
    assert answering.get(f"{one}/entries").text == "release\tliberação\n"
    asked = BODY | {"source_lang": "EN", "glossary_id": made["glossary_id"]}
    assert texts_of(answering.post(URL, json=asked))
    assert world.appended[-1][0].glossaries == ["My-terms@1"]
    assert answering.delete(one).status_code == 204
    assert "no glossary" in message_of(answering.get(one), 404)
    assert "no glossary" in message_of(answering.post(URL, json=asked), 404)


@pytest.mark.parametrize("at_ms", [1_800_000_000_000, 1_800_000_000_001, 1_800_000_000_999])
def test_its_client_reads_when_a_glossary_was_made_even_at_a_full_second(at_ms):
    read = parse_timestamp(creation_time(at_ms))
    assert round(read.timestamp() * 1000) == at_ms


@pytest.mark.parametrize("glossary", ["my glossary", "用語集", "a" * 200])
def test_a_glossary_that_there_is_not_is_told_whatever_its_id_looks_like(answering, world, glossary):
    asked = {"target_lang": "PT-BR", "source_lang": "EN", "glossary_id": glossary}
    assert "no glossary" in message_of(answering.post("/v2/translate", json=asked | {"text": ["Hi."]}), 404)
    assert "no glossary" in message_of(answering.post("/v2/document", data=asked, files={"file": b"Hi."}), 404)
    assert world.appended == []


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_glossaries_may_have_names_without_any_latin_letter(answering, version):
    entries = {"source_lang": "en", "target_lang": "pt", "entries": "a\tb", "entries_format": "tsv"}
    more = entries if version == "v2" else {"dictionaries": [entries]}
    made = [answering.post(f"/{version}/glossaries", json={"name": name} | more) for name in ("用語集", "Термины")]
    assert [one.status_code for one in made] == [201, 201], made[0].text
    names = {one.json()["name"] for one in made}
    assert (len(names), {name.partition("-")[0] for name in names}) == (2, {"glossary"})


def test_a_line_of_a_glossary_that_is_wrong_is_told_by_its_number(http):
    wish = {"name": "a", "source_lang": "EN", "target_lang": "PT", "entries": "a\tb\nc", "entries_format": "tsv"}
    assert "line 2: there are 1 columns" in message_of(http.post("/v2/glossaries", data=wish))


def test_a_source_without_a_language_has_no_code(http, world):
    world.answer = lambda request: changed(in_capitals(request), source_language="und")
    (one,) = http.post(URL, json=BODY).json()["translations"]
    assert one["detected_source_language"] == ""

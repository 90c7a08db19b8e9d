"""The glossaries of DeepL with a dictionary for each pair of languages, by its own client."""

import asyncio

import deepl
import httpx
import pytest
from deepl.api_data import MultilingualGlossaryDictionaryEntries as Entries

from stream_apps.glossaries.limits import GlossaryLimits
from tests.accounts import key_of

TERMS = {"source_lang": "en", "target_lang": "pt", "entries": "release\tversão"}


@pytest.fixture
def limits(limits):
    return limits.model_copy(update={"max_body_bytes": 200_000})


@pytest.fixture
def client(url, store):
    return deepl.DeepLClient(key_of(store, "acme", role="member").text, server_url=url)


def dictionaries_of(found):
    return [(one.source_lang, one.target_lang, one.entry_count) for one in found.dictionaries]


def entries_of(client, glossary, source="EN", target="PT"):
    (found,) = client.get_multilingual_glossary_entries(glossary, source, target).dictionaries
    return found.entries


def test_a_glossary_has_a_dictionary_for_each_pair(client):
    both = [Entries("EN", "PT", {"release": "versão", "drop": "queda"}), Entries("PT", "EN", {"queda": "drop"})]
    made = client.create_multilingual_glossary("My terms", both)
    assert (made.glossary_id, made.name) == ("My-terms", "My-terms")
    assert sorted(dictionaries_of(made)) == [("EN", "PT", 2), ("PT", "EN", 1)]
    assert dictionaries_of(client.get_multilingual_glossary(made.glossary_id)) == dictionaries_of(made)
    assert [one.glossary_id for one in client.list_multilingual_glossaries()] == ["My-terms"]
    assert entries_of(client, made) == "drop\tqueda\nrelease\tversão\n"


def test_a_name_that_is_taken_gets_a_number(client):
    names = [client.create_multilingual_glossary("a", [Entries("EN", "PT", {"x": "y"})]).name for _ in range(3)]
    assert names == ["a", "a-2", "a-3"]


def at_once(http, method, path, *bodies):
    async def asked():
        transport = httpx.ASGITransport(http.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=http.headers) as client:
            return await asyncio.gather(*(client.request(method, path, json=body) for body in bodies))

    return asyncio.run(asked())


def test_two_that_are_made_at_once_with_one_name_get_an_id_each(http):
    answers = at_once(http, "POST", "/v3/glossaries", *({"name": "a", "dictionaries": [TERMS]} for _ in range(3)))
    assert sorted(answer.json()["glossary_id"] for answer in answers) == ["a", "a-2", "a-3"]


def test_two_that_get_one_name_at_once_get_an_id_each(http):
    for name in "ab":
        http.post("/v3/glossaries", json={"name": name, "dictionaries": [TERMS]})
    first, second = "/v3/glossaries/a", "/v3/glossaries/b"

    async def renamed():
        transport = httpx.ASGITransport(http.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=http.headers) as client:
            return await asyncio.gather(*(client.patch(path, json={"name": "c"}) for path in (first, second)))

    assert sorted(answer.json()["glossary_id"] for answer in asyncio.run(renamed())) == ["c", "c-2"]
    assert [one["name"] for one in http.get("/v3/glossaries").json()["glossaries"]] == ["c", "c-2"]


def test_entries_that_are_added_at_once_are_all_there(http):
    http.post("/v3/glossaries", json={"name": "a", "dictionaries": [TERMS]})
    more = ({"dictionaries": [TERMS | {"entries": f"term{n}\ttermo"}]} for n in range(3))
    answers = at_once(http, "PATCH", "/v3/glossaries/a", *more)
    assert [answer.status_code for answer in answers] == [200] * 3
    (found,) = http.get("/v3/glossaries/a").json()["dictionaries"]
    assert found["entry_count"] == 4


def test_a_glossary_of_which_one_dictionary_is_wrong_is_not_made(http):
    wrong = [TERMS, TERMS | {"target_lang": "en-GB"}]
    refused = http.post("/v3/glossaries", json={"name": "a", "dictionaries": wrong})
    assert (refused.status_code, http.get("/v3/glossaries").json()) == (400, {"glossaries": []})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entries": "only one column"}, "dictionaries[1]: line 1: there are 1 columns"),
        ({"entries": "a\tb\na\tc"}, "dictionaries[1]: line 2: the source was there before"),
        ({"entries": ""}, "dictionaries[1]: entries is missing"),
        ({"entries_format": "xml"}, "dictionaries[1]: entries_format is 'xml'"),
        ({"source_lang": "none at all"}, "dictionaries[1]: "),
        ({"target_lang": "en"}, "dictionaries[1]: both languages are en"),
        ({}, "dictionaries[1]: there is another dictionary of en-pt"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_wrong_dictionary_is_named_by_its_place(http, changes, words, method):
    path = "/v3/glossaries/a" if method == "PATCH" else "/v3/glossaries"
    http.post("/v3/glossaries", json={"name": "a", "dictionaries": [TERMS]})
    answer = http.ask(method, path, json={"name": "a", "dictionaries": [TERMS, TERMS | changes]})
    assert (answer.status_code, words in answer.json()["message"]) == (400, True), answer.text


def test_a_wrong_dictionary_of_a_form_has_the_number_that_the_form_gave_it(http):
    form = {"name": "a"} | {f"dictionaries[7].{name}": value for name, value in TERMS.items()}
    answer = http.post("/v3/glossaries", data=form | {"dictionaries[7].entries": "x"})
    assert "dictionaries[7]: line 1: " in answer.json()["message"]


def test_a_dictionary_that_stands_alone_needs_no_place(http):
    http.post("/v3/glossaries", json={"name": "a", "dictionaries": [TERMS]})
    answer = http.ask("PUT", "/v3/glossaries/a/dictionaries", json=TERMS | {"entries": "x"})
    assert answer.json()["message"].startswith("line 1: "), answer.text


def test_texts_are_translated_with_the_dictionary_of_their_languages(client, world):
    both = [Entries("EN", "PT", {"release": "versão"}), Entries("PT", "EN", {"queda": "drop"})]
    made = client.create_multilingual_glossary("terms", both)
    client.translate_text("A release", source_lang="EN", target_lang="PT-BR", glossary=made)
    client.translate_text("Uma queda", source_lang="PT", target_lang="EN-US", glossary=made.glossary_id)
    assert [asked.glossaries for asked, _, _ in world.appended] == [["terms:en-pt"], ["terms:pt-en"]]
    one = client.create_multilingual_glossary("one", [Entries("EN", "PT", {"x": "y"})])
    with pytest.raises(deepl.DeepLException, match="is from en into pt"):
        client.translate_text("Uma queda", source_lang="PT", target_lang="EN-US", glossary=one.glossary_id)


def test_entries_are_added_replaced_and_deleted(client):
    made = client.create_multilingual_glossary("terms", [Entries("EN", "PT", {"a": "1a", "b": "1b"})])
    client.update_multilingual_glossary_dictionary(made, Entries("EN", "PT", {"b": "2b", "c": "2c"}))
    assert entries_of(client, made) == "a\t1a\nb\t2b\nc\t2c\n"
    client.update_multilingual_glossary_dictionary(made, Entries("PT", "EN", {"x": "y"}))
    replaced = client.replace_multilingual_glossary_dictionary(made, Entries("EN", "PT", {"z": "w"}))
    assert (replaced.entry_count, entries_of(client, made)) == (1, "z\tw\n")
    client.delete_multilingual_glossary_dictionary(made, source_lang="EN", target_lang="PT")
    assert dictionaries_of(client.get_multilingual_glossary("terms")) == [("PT", "EN", 1)]
    with pytest.raises(deepl.GlossaryNotFoundException):
        entries_of(client, made)
    client.delete_multilingual_glossary(made)
    with pytest.raises(deepl.GlossaryNotFoundException):
        client.get_multilingual_glossary("terms")


def test_a_form_names_dictionaries_by_their_number_as_the_client_for_node_does(http):
    form = {"name": "terms"} | {
        f"dictionaries[{at}].{name}": value
        for at, (source, target) in enumerate((("en", "pt"), ("pt", "en")))
        for name, value in {"source_lang": source, "target_lang": target, "entries": "a\tb"}.items()
    }
    made = http.post("/v3/glossaries", data=form)
    assert (made.status_code, len(made.json()["dictionaries"])) == (201, 2), made.text
    more = {name.replace("[1]", "[0]"): value for name, value in form.items() if "[1]" in name} | {
        "dictionaries[0].entries": "c\td"
    }
    changed = http.ask("PATCH", "/v3/glossaries/terms", data=more).json()["dictionaries"]
    assert sorted(one["entry_count"] for one in changed) == [1, 2]


def test_another_name_is_another_id_with_the_same_entries(client):
    made = client.create_multilingual_glossary("old", [Entries("EN", "PT", {"a": "1a"})])
    renamed = client.update_multilingual_glossary_name(made, "new")
    assert (renamed.glossary_id, entries_of(client, renamed)) == ("new", "a\t1a\n")
    assert [one.name for one in client.list_multilingual_glossaries()] == ["new"]


def test_the_name_that_a_glossary_has_already_changes_no_id(client):
    made = client.create_multilingual_glossary("My terms", [Entries("EN", "PT", {"a": "1a"})])
    again = client.update_multilingual_glossary_name(made, "My terms")
    assert (again.glossary_id, entries_of(client, made)) == (made.glossary_id, "a\t1a\n")


def test_a_dictionary_may_be_replaced_by_one_as_large_as_it_may_be_made(http):
    languages = {"source_lang": "en", "target_lang": "pt"}
    large = languages | {"entries": "\n".join(f"the term number {n}\to termo número {n}" for n in range(2_000))}
    assert http.post("/v3/glossaries", json={"name": "terms", "dictionaries": [large]}).status_code == 201
    replaced = http.ask("PUT", "/v3/glossaries/terms/dictionaries", json=large)
    assert (replaced.status_code, replaced.json().get("entry_count")) == (200, 2_000), replaced.text
    changed = http.ask("PATCH", "/v3/glossaries/terms", json={"dictionaries": [large]})
    assert changed.status_code == 200, changed.text


def test_glossaries_of_version_2_are_glossaries_with_one_dictionary(client):
    client.create_glossary("plain", "EN", "PT", {"a": "1a"})
    (found,) = client.list_multilingual_glossaries()
    assert (found.glossary_id, dictionaries_of(found)) == ("plain", [("EN", "PT", 1)])
    client.update_multilingual_glossary_dictionary(found, Entries("EN", "PT", {"b": "1b"}))
    assert client.get_glossary_entries("plain@2") == {"a": "1a", "b": "1b"}


def test_the_oldest_version_gives_way_where_there_are_as_many_as_there_may_be(http, client):
    http.app.state.ports.glossaries.limits = GlossaryLimits(max_versions=2)
    made = client.create_multilingual_glossary("terms", [Entries("EN", "PT", {"a": "0"})])
    for number in range(1, 4):
        client.replace_multilingual_glossary_dictionary(made, Entries("EN", "PT", {"a": f"{number}x"}))
    assert entries_of(client, made) == "a\t3x\n"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "", {"dictionaries": []}, 400, "name is missing"),
        ("POST", "", {"name": "a"}, 400, "dictionaries is no array"),
        ("POST", "", {"name": "a", "dictionaries": ["x"]}, 400, "dictionaries[0] is no object"),
        ("POST", "", {"name": "a", "dictionaries": [{"source_lang": "en"}]}, 400, "target_lang is missing"),
        ("GET", "/none", None, 404, "there is no glossary"),
        ("PUT", "/none/dictionaries", {}, 404, "there is no glossary"),
        ("DELETE", "/none", None, 404, "there is no glossary"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(http, method, path, body, status, words):  # noqa: PLR0917  # a table
    answer = http.ask(method, f"/v3/glossaries{path}", json=body)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text


def test_who_may_only_read_changes_nothing(http, store):
    viewer = http.showing(key_of(store, "acme", role="viewer").text)
    assert viewer.get("/v3/glossaries").status_code == 200
    assert viewer.post("/v3/glossaries", json={"name": "a"}).status_code == 403

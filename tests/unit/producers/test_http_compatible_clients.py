"""The clients that the originals publish, against a server of ours."""

import deepl
import pytest
from deepl.api_data import MultilingualGlossaryDictionaryEntries
from libretranslatepy import LibreTranslateAPI

from tests.accounts import key_of


@pytest.fixture
def key(store) -> str:
    return key_of(store, "acme", role="member").text


def test_libretranslates_client_translates_detects_and_lists_languages(url, key):
    client = LibreTranslateAPI(url, key)
    assert client.translate("Good morning.\r\nGood night.", "en", "pt") == "GOOD MORNING.\nGOOD NIGHT."
    assert client.detect("Good morning.") == [{"language": "en", "confidence": 90.0}]
    assert client.languages() == [
        {"code": "en", "name": "English", "targets": ["pt"]},
        {"code": "pt", "name": "Portuguese", "targets": ["en"]},
    ]


def test_deepls_client_translates_texts_and_gets_them_back_in_their_places(url, key, world):
    client = deepl.DeepLClient(key, server_url=url, send_platform_info=False)
    results = client.translate_text(
        ["Save", "", "Open"], target_lang="PT-BR", context="a menu", split_sentences="nonewlines",
        preserve_formatting=True, formality="prefer_more", model_type="prefer_quality_optimized",
    )  # fmt: skip
    assert isinstance(results, list)
    assert [result.text for result in results] == ["SAVE", "", "OPEN"]
    assert [(result.detected_source_lang, result.billed_characters) for result in results] == [
        ("EN", 4), ("EN", 0), ("EN", 4),
    ]  # fmt: skip
    assert [(one.tenant, one.target_language) for one, _, _ in world.appended] == [("acme", "pt-BR")]
    single = client.translate_text("Save", source_lang="EN", target_lang="PT-PT")
    assert isinstance(single, deepl.TextResult)
    assert single.text == "SAVE"


def test_deepls_client_says_what_the_tags_of_a_text_are(url, key, world):
    client = deepl.DeepLClient(key, server_url=url)
    client.translate_text(
        "a <x>b</x> <p>c</p>", target_lang="PT-BR", tag_handling="xml", ignore_tags=["x"], splitting_tags=["p"],
        outline_detection=False,
    )  # fmt: skip
    ((asked, _, _),) = world.appended
    assert (asked.content_type, asked.filter_options) == (
        "application/xml", {"ignore_tags": "x", "splitting_tags": "p", "outline_detection": "0"},
    )  # fmt: skip


def test_deepls_client_reads_usage_and_languages(url, key, world):
    world.used = [{"name": "2023-11-14", "requests": 1, "words": 5, "characters": 30}]
    client = deepl.DeepLClient(key, server_url=url)
    usage = client.get_usage()
    assert (usage.character.count, usage.character.limit, usage.any_limit_reached) == (30, 10**12, False)
    assert [one.code for one in client.get_source_languages()] == ["EN", "PT"]
    assert [(one.code, one.supports_formality) for one in client.get_target_languages()] == [
        ("EN", False), ("EN-GB", False), ("EN-US", False), ("PT", False), ("PT-BR", False), ("PT-PT", False),
    ]  # fmt: skip


def test_deepls_client_understands_our_refusals(url, key):
    with pytest.raises(deepl.AuthorizationException, match="no such API key"):
        deepl.DeepLClient("drg_none", server_url=url).get_usage()
    client = deepl.DeepLClient(key, server_url=url)
    with pytest.raises(deepl.DeepLException, match="formality"):
        client.translate_text("Save", target_lang="PT-BR", formality="more")
    with pytest.raises(deepl.DeepLException, match="tag_handling is 'rtf'"):
        client.translate_text("<p>Save</p>", target_lang="PT-BR", tag_handling="rtf")
    with pytest.raises(deepl.DeepLException, match="no model translates en-ja"):
        client.translate_text("Save", target_lang="JA")


def test_deepls_client_makes_shows_uses_and_deletes_a_glossary(url, key, world):
    client = deepl.DeepLClient(key, server_url=url)
    made = client.create_glossary("My terms", "EN", "PT", {"release": "liberação", "drop": "queda"})
    assert (made.glossary_id, made.entry_count, made.ready) == ("My-terms@1", 2, True)
    assert [one.glossary_id for one in client.list_glossaries()] == [made.glossary_id]
    assert client.get_glossary(made.glossary_id).source_lang == "EN"
    assert client.get_glossary_entries(made) == {"release": "liberação", "drop": "queda"}
    assert ("en", "pt") in [(one.source_lang, one.target_lang) for one in client.get_glossary_languages()]
    done = client.translate_text("A release", source_lang="EN", target_lang="PT-BR", glossary=made)
    assert isinstance(done, deepl.TextResult)
    assert world.appended[0][0].glossaries == ["My-terms@1"]
    client.create_glossary_from_csv("My terms", "EN", "PT", "release,versão,en,pt\n")
    client.delete_glossary(made)
    with pytest.raises(deepl.GlossaryNotFoundException):
        client.get_glossary(made.glossary_id)


def test_deepls_client_names_several_glossaries(url, key, world):
    client = deepl.DeepLClient(key, server_url=url)
    first = client.create_glossary("First", "EN", "PT", {"release": "liberação"})
    second = client.create_multilingual_glossary(
        "Second", [MultilingualGlossaryDictionaryEntries("EN", "PT", {"drop": "queda"})]
    )
    client.translate_text("A", source_lang="EN", target_lang="PT-BR", glossary_ids=[first, second])
    assert list(world.appended[0][0].glossaries) == ["First@1", "Second:en-pt"]
    client.translate_document_upload(
        b"A", source_lang="EN", target_lang="PT-BR", filename="a.txt", glossary_ids=[second, first]
    )
    assert list(world.appended[1][0].glossaries) == ["Second:en-pt", "First@1"]


def test_deepls_client_translates_with_the_languages_of_a_glossary(url, key, world):
    client = deepl.DeepLClient(key, server_url=url)
    made = client.create_glossary("Terms", "EN", "PT", {"release": "liberação"})
    done = client.translate_text_with_glossary("A", made, target_lang="PT-BR")
    assert isinstance(done, deepl.TextResult)
    assert (world.appended[0][0].source_language, world.appended[0][0].glossaries) == ("en", ["Terms@1"])
    several = client.create_multilingual_glossary_from_csv("Both", "EN", "PT", "a,b\n")
    client.update_multilingual_glossary_dictionary_from_csv(several, "EN", "PT", "c,d\n")
    entries = client.get_multilingual_glossary_entries(several, "EN", "PT").dictionaries[0].entries
    assert str(entries) == "a\tb\nc\td\n"
    client.replace_multilingual_glossary_dictionary_from_csv(several, "EN", "PT", "e,f\n")
    entries = client.get_multilingual_glossary_entries(several, "EN", "PT").dictionaries[0].entries
    assert str(entries) == "e\tf\n"


NOT_OFFERED = {
    "rephrase_text": lambda client: client.rephrase_text("Save", target_lang="EN-US"),
    "correct_text": lambda client: client.correct_text("Save", target_lang="EN-US"),
    "get_all_style_rules": lambda client: client.get_all_style_rules(),
    "create_style_rule": lambda client: client.create_style_rule("Mine", "EN"),
    "get_style_rule": lambda client: client.get_style_rule("x"),
    "update_style_rule_name": lambda client: client.update_style_rule_name("x", "y"),
    "update_style_rule_configured_rules": lambda client: client.update_style_rule_configured_rules("x", {}),
    "delete_style_rule": lambda client: client.delete_style_rule("x"),
    "create_style_rule_custom_instruction": lambda client: client.create_style_rule_custom_instruction(
        "x", "y", "z"
    ),
    "get_style_rule_custom_instruction": lambda client: client.get_style_rule_custom_instruction("x", "y"),
    "update_style_rule_custom_instruction": lambda client: client.update_style_rule_custom_instruction(
        "x", "y", "z", "w"
    ),
    "delete_style_rule_custom_instruction": lambda client: client.delete_style_rule_custom_instruction("x", "y"),
    "list_translation_memories": lambda client: client.list_translation_memories(),
    "get_translation_memory": lambda client: client.get_translation_memory("x"),
    "list_translation_memory_segments": lambda client: client.list_translation_memory_segments("x"),
    "delete_translation_memory": lambda client: client.delete_translation_memory("x"),
    "create_translation_memory_export": lambda client: client.create_translation_memory_export("x"),
    "get_translation_memory_job": lambda client: client.get_translation_memory_job("x"),
}


@pytest.mark.parametrize("method", NOT_OFFERED)
def test_what_is_not_offered_is_refused_by_its_path(url, key, method):
    client = deepl.DeepLClient(key, server_url=url)
    with pytest.raises(deepl.DeepLException, match="is not offered here") as refusal:
        NOT_OFFERED[method](client)
    assert refusal.value.http_status_code == 404


def test_an_unknown_route_of_ours_is_still_a_problem(http):
    assert http.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"
    assert http.get("/v2/translate").json() == {
        "message": "GET /v2/translate is not offered here; see docs/compatible.md for what is"
    }


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2/glossaries", "GET, POST"),
        ("/v3/glossaries/shop", "GET, PATCH, DELETE"),
        ("/v3/glossaries/shop/dictionaries", "PUT, DELETE"),
    ],
)
def test_a_method_that_is_not_offered_is_told_all_that_are(http, path, allowed):
    answer = http.ask("OPTIONS", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)

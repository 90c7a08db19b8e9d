"""The clients that the originals publish, against a server of ours."""

import deepl
import pytest
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

"""What people really send comes back whole: messages, quotations, and what needs no translation."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

URL = "/api/v1/translations"
FILES = "{count, plural, =0 {No files selected.} one {# file selected.} other {# files selected.}}"
QUOTED = (
    "> The order of the day is written in the great book of the\r\n"
    "> house. Nobody reads it before noon, and nobody does now.\r\n"
)
TEXTS: dict[str, dict[str, Any]] = {
    "greeting": {"text": "Bom dia a todos.", "target_language": "pt"},
    "number": {"text": "123", "target_language": "pt"},
    "family": {"text": "👩\u200d👩\u200d👧 🏳️\u200d🌈", "target_language": "pt"},
    "named": {"text": "Bom dia.", "source_language": "pt", "target_language": "pb"},
    "message": {"text": FILES, "source_language": "en", "target_language": "PT_br"},
    "names": {
        "text": "The Green House of <<owner name>> belongs to Garden & Sons, and costs £3.20.",
        "source_language": "en",
        "target_language": "pt",
        "do_not_translate": ["Green House", "Garden & Sons"],
        "engine_options": {"placeholder_pattern": "<<[a-z ]+>>"},
    },
    "array": {
        "texts": [{"id": "a", "text": "The house is big."}, "", QUOTED, "42", FILES],
        "source_language": "en",
        "target_language": "pt",
    },
    "markup": {
        "text": '<p>Open <a href="?a=1&amp;b=2">the settings</a> now &amp; wait.</p>\n<code>x = 1</code>',
        "format": "html",
        "source_language": "en",
        "target_language": "pt",
    },
    "quotation": {"text": QUOTED, "source_language": "eng", "target_language": "por"},
}


@pytest.fixture(scope="module")
def jobs(stack):
    """Send all of them at once."""
    client = httpx.Client(base_url=stack.http_url, headers=stack.headers, timeout=60)
    with client as http, ThreadPoolExecutor(len(TEXTS)) as threads:
        sent = {name: threads.submit(http.post, f"{URL}?wait=30", json=body) for name, body in TEXTS.items()}
        return {name: one.result().raise_for_status().json() for name, one in sent.items()}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("greeting", "already_in_target_language"),
        ("named", "already_in_target_language"),
        ("number", "no_letters"),
        ("family", "no_letters"),
    ],
)
def test_what_needs_no_translation_comes_back_as_it_is_and_is_marked(jobs, name, cause):
    result = jobs[name]["result"]
    assert (result["status"], result["text"]) == ("COMPLETED", TEXTS[name]["text"])
    assert [one["cause"] for one in result["warnings"]] == [cause]
    assert (result["segments"], result["source_words"]) == (0, 0)


def test_the_texts_of_an_array_are_translated_each_by_itself_and_come_back_in_their_places(jobs):
    result = jobs["array"]["result"]
    first, blank, quotation, number, message = result["translations"]
    assert (first["id"], blank, number) == ("a", {"id": None, "text": ""}, {"id": None, "text": "42"})
    assert "casa" in first["text"]
    assert quotation["text"] == jobs["quotation"]["result"]["text"]
    assert message["text"] == jobs["message"]["result"]["text"]
    assert [(one["cause"], one["count"]) for one in result["warnings"]] == [("no_letters", 1)]


def test_html_is_translated_between_its_tags(jobs):
    text = jobs["markup"]["result"]["text"]
    found = re.fullmatch(
        r'<p>(.+) <a href="\?a=1&amp;b=2">(.+)</a>(.*) &amp; .+</p>\n<code>x = 1</code>', text
    ) or re.fullmatch(r'<p>(.+) <a href="\?a=1&amp;b=2">(.+)</a>(.+)</p>\n<code>x = 1</code>', text)
    assert found, text
    assert "configurações" in found[2]
    assert "settings" not in text


def test_a_program_that_speaks_deepl_gets_its_texts_while_it_waits(stack):
    body = {"text": ["The house is big.", ""], "source_lang": "EN", "target_lang": "PT-BR"}
    key = stack.headers["Authorization"].replace("Bearer", "DeepL-Auth-Key")
    answer = httpx.post(f"{stack.http_url}/v2/translate", json=body, headers={"Authorization": key}, timeout=60)
    first, blank = answer.raise_for_status().json()["translations"]
    assert (first["detected_source_language"], blank["text"]) == ("EN", "")
    assert "casa" in first["text"]


def test_names_amounts_and_placeholders_of_the_callers_own_form_stay_as_they_are(jobs):
    text = jobs["names"]["result"]["text"]
    assert all(one in text for one in ("Green House", "Garden & Sons", "£", "<<owner name>>"))
    assert "belongs" not in text


def test_only_what_was_translated_is_billed(stack, jobs):
    analytics = stack.analytics()
    ids = {name: job["job_id"] for name, job in jobs.items()}
    words = sum(job["result"]["source_words"] for job in jobs.values())
    assert analytics.billed(list(ids.values())) == (len(ids), words)
    usage = httpx.get(f"{stack.http_url}/api/v1/usage?by=pair", headers=stack.headers, timeout=60).json()
    assert usage["words"] >= words
    assert {"en-pt", "en-pt-BR"} <= {row["name"] for row in usage["rows"]}
    assert analytics.billed([ids["greeting"], ids["named"], ids["number"], ids["family"]])[1] == 0


def test_the_branches_of_a_message_are_translated_and_its_syntax_is_kept(jobs):
    result = jobs["message"]["result"]
    assert result["target_language"] == "pt-BR"
    assert result["text"] == (
        "{count, plural, =0 {Nenhum arquivo selecionado.} one {# arquivo selecionado.} "
        "other {# arquivos selecionados.}}"
    )


def test_a_quotation_is_translated_by_the_sentence_and_quoted_again(jobs):
    lines = jobs["quotation"]["result"]["text"].split("\r\n")
    assert lines.pop() == ""
    assert all(line.startswith("> ") for line in lines)
    assert max(map(len, lines)) <= 58
    assert (jobs["quotation"]["result"]["segments"], jobs["quotation"]["target_language"]) == (2, "pt")

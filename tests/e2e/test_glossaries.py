"""A glossary that was just made is applied by the real engine, in the version that a request names."""

import httpx
import pytest

SENTENCES = (
    "The release is ready.",
    "We tested the release yesterday with all customers.",
    "Nobody reads the notes of a release, but everybody wants the next release.",
)


@pytest.fixture(scope="module")
def http(stack):
    with httpx.Client(base_url=stack.http_url, headers=stack.headers, timeout=60) as client:
        yield client


def made(http, **entries):
    wish = {"name": "e2e-terms", "source_language": "en", "target_language": "pt", "entries": entries}
    return http.post("/api/v1/glossaries", json=wish).raise_for_status().json()["exact_name"]


def translated(http, glossary):
    body = {"texts": [{"text": one} for one in SENTENCES], "source_language": "en", "target_language": "pt"}
    job = (
        http.post("/api/v1/translations?wait=30", json=body | {"glossaries": [glossary]}).raise_for_status().json()
    )
    return job["result"]


def test_each_version_is_applied_as_often_as_its_term_occurs(http):
    first = made(http, release="liberação")
    result = translated(http, "e2e-terms")
    texts = [one["text"] for one in result["translations"]]
    assert result["status"] == "COMPLETED"
    assert [text.lower().count("liberação") for text in texts] == [1, 1, 2]
    assert not any("release" in text.lower() for text in texts)
    second = made(http, release="lançamentozinho")
    newest = [one["text"] for one in translated(http, "e2e-terms")["translations"]]
    assert [text.lower().count("lançamentozinho") for text in newest] == [1, 1, 2]
    assert [one["text"] for one in translated(http, first)["translations"]] == texts
    assert first != second


def test_a_deleted_glossary_is_refused_by_name(http):
    made(http, release="liberação")
    http.delete("/api/v1/glossaries/e2e-terms").raise_for_status()
    body = {"text": SENTENCES[0], "target_language": "pt", "glossaries": ["e2e-terms"]}
    refused = http.post("/api/v1/translations", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, "glossaries")

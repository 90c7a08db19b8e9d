"""A usual submission is read without FastAPI, and nobody can tell: each is answered as FastAPI would have it."""

import pytest
from fastapi import routing

from producers.http.translations import submission_route

URL = "/api/v1/translations"
JSON = {"content-type": "application/json"}
USUAL = b'{"text": "Good morning.", "source_language": "en", "target_language": "pt", "request_id": "r1"}'
BODIES = [
    USUAL,
    USUAL.decode().encode("utf-16"),
    b"\xef\xbb\xbf" + USUAL,
    b'{"text": "\xff"}',
    b'{"texts": [{"id": "a", "text": "Save"}, "Open"], "target_language": "pt", "request_id": "r2"}',
    b'{"text": "a", "targets": ["pt", "es"], "request_id": "r3"}',
    b'{"text": "a", "text": "b", "target_language": "pt", "request_id": "r4"}',
    b'{"text": "a", "target_language": "pt", "priority": 95, "request_id": "r5"}',
    b'{"text": "a", "target_language": "pt", "priority": ' + b"9" * 5000 + b"}",
    b'{"text": "a", "target_language": "pt", "priority": true}',
    b'{"text": "a", "target_language": "pt", "priority": 7.0}',
    b'{"text": "a", "target_language": "pt", "keep_source": "true", "request_id": "r6"}',
    b'{"text": "\\ud800", "target_language": "pt"}',
    b'{"text": "a", "target_language": "pt", "unknown": 1}',
    b'{"text": "a", "target_language": "pt", "format": "html", "content_type": "application/xml"}',
    b'{"text": "a", "target_language": "pt", "deadline": "2100-01-01T00:00:00Z"}',
    b'{"text": "a", "target_language": "pt", "deadline": 4102444800}',
    b'{"text": 5, "target_language": "pt"}',
    b'{"text": NaN, "target_language": "pt"}',
    b"[" * 100_000,
    b'["text"]',
    b"null",
    b"{}",
    b"{",
    b"",
]


@pytest.fixture
def answered(http, world, monkeypatch):
    """Ask twice, the second time with FastAPI alone; return both answers."""

    def ask(query="", body=USUAL, headers=JSON, client=http):
        found = []
        for is_usual in (True, False):
            if not is_usual:
                monkeypatch.setattr(submission_route, "_usual", _nothing)
            answer = client.post(URL + query, content=body, headers=headers)
            found.append((answer.status_code, _lasting(answer), dict(answer.headers)))
            monkeypatch.undo()
        return found

    return ask


async def _nothing(_request):
    return None


def _lasting(answer):
    """Return what two answers to the same call have in common."""
    shown = answer.json()
    return {name: value for name, value in shown.items() if name != "estimated_completion"}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_answered_as_by_fastapi(answered, body):
    usual, by_fastapi = answered(
        body=body, headers=JSON | {"idempotency-key": "k"} if b"request_id" not in body else JSON
    )
    assert usual == by_fastapi


@pytest.mark.parametrize(
    "query",
    [
        "?wait=0",
        "?wait=0.01",
        "?wait=",
        "?wait=-1",
        "?wait=a",
        "?wait=1e-2",
        "?wait=0&wait=0",
        "?other=1",
        "?wait=%30",
    ],
)
def test_a_query_is_answered_as_by_fastapi(answered, query):
    usual, by_fastapi = answered(query)
    assert usual == by_fastapi


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "application/json;charset=latin-1"},
        {"content-type": "application/problem+json"},
        {"content-type": "text/plain"},
        {"content-type": ""},
        JSON | {"idempotency-key": "k"},
        JSON | {"prefer": "wait=0"},
        JSON | {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        JSON | {"authorization": "Bearer nobody"},
        JSON | {"authorization": ""},
    ],
)
def test_headers_are_answered_as_by_fastapi(answered, headers):
    usual, by_fastapi = answered(headers=headers)
    assert usual == by_fastapi


def test_a_usual_submission_asks_nothing_of_fastapi_and_others_do(http, monkeypatch):
    async def refused(**_):
        raise AssertionError("FastAPI was asked")

    monkeypatch.setattr(routing, "solve_dependencies", refused)
    for query in ("", "?wait=0", "?wait=0.01"):
        assert http.post(URL + query, content=USUAL, headers=JSON).status_code == 202
    assert http.post(f"{URL}?other=1", content=USUAL, headers=JSON).status_code == 500

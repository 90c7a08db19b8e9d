"""Whatever is sent to the interfaces of others: an answer in their shape, and never an error of ours."""

import asyncio
import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.memory import InMemoryShares
from connectors.telemetry.health import Health
from producers.http.admission.backpressure import Backpressure
from producers.http.admission.tenant_shares import TenantShares
from producers.http.app import AppSettings, create_app
from producers.http.ports import Ports
from producers.http.settings import BackpressureLimits, HttpLimits
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.pipeline.request_limits import RequestLimits
from tests.accounts import accounts_of, bearer, key_of, tenants
from tests.http_world import NOW_MS, World, in_capitals

NAMES = ("q", "source", "target", "format", "alternatives", "api_key", "text", "target_lang", "source_lang",
    "formality", "split_sentences", "tag_handling", "auth_key", "type")  # fmt: skip
WORDS = st.sampled_from(["", "a", "en", "pt", "PT-BR", "auto", "text", "html", "0", "1", "nonewlines", "Hello.\n"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
BODIES = OBJECTS.map(lambda found: json.dumps(found).encode()) | st.binary(max_size=60)
TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "", ";", "a/b; charset=x"]
)
ENCODINGS = st.sampled_from([None, None, None, "gzip", "br"])


@pytest.fixture(scope="module")
def ask():
    store, world = tenants(InMemoryAccounts()), World(served=["en-pt", "pt-en"], answer=in_capitals)
    shares = TenantShares(InMemoryShares(), lambda: NOW_MS)
    backpressure = Backpressure(BackpressureLimits(), clock=lambda: 0.0)
    ports = Ports(
        requests=world,
        jobs=world,
        results=world,
        texts=world,
        models=world,
        backpressure=backpressure,
        accounts=accounts_of(store),
        shares=shares,
        now_ms=lambda: NOW_MS,
        books=world,
        detector=world,
    )
    app = create_app(ports, AppSettings(HttpLimits(), RequestLimits()), Health())
    transport, headers = httpx.ASGITransport(app), bearer(key_of(store).text)

    def ask(path, body, content_type, encoding):
        async def answer():
            more = {"content-type": content_type} | ({"content-encoding": encoding} if encoding else {})
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.post(path, content=body, headers=headers | more)

        return asyncio.run(answer())

    return ask


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["/translate", "/detect", "/v2/translate", "/v2/languages"]), BODIES, TYPES, ENCODINGS)
def test_anything_gets_an_answer_or_a_refusal_in_words(ask, path, body, content_type, encoding):
    answer = ask(path, body, content_type, encoding)
    assert answer.status_code in {200, 400, 403, 413, 415}, answer.text
    if answer.is_error:
        ((name, told),) = answer.json().items()
        assert name == ("message" if path.startswith("/v2") else "error")
        assert told


@settings(deadline=None, max_examples=30)
@given(OBJECTS, st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_as_many_texts_come_back_as_were_sent_whatever_else_stands_there(ask, others, texts):
    known = {"source": "en", "target": "pt", "format": "text", "alternatives": 0, "api_key": None}
    body = json.dumps(others | known | {"q": texts}).encode()
    answer = ask("/translate", body, "application/json", None)
    if any("\x1e" in text for text in texts):
        assert answer.status_code == 400
    else:
        assert answer.json() == {"translatedText": [text.upper() for text in texts]}

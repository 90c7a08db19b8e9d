"""What is posted: signed by secrets that rotate, naming the job and not its text."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from schemas.accounts import Tenant
from schemas.errors import FatalError
from stream_apps.accounts.changes import Change, new_tenant
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.accounts.webhook_secrets import WebhookSecrets, rotated
from stream_apps.webhooks.body import delivery_of
from stream_apps.webhooks.secret_book import SecretBook
from stream_apps.webhooks.settings import WebhookLimits
from stream_apps.webhooks.signing import signed_headers
from tests.webhooks import NOW_MS, RESULT

LIMITS = WebhookLimits(poll_seconds=0.01)
PLATFORM = "a platform secret of more than 32 characters"
CHANGE = Change("tests", NOW_MS)
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def store():
    made = InMemoryAccounts()
    made.change(lambda found: [new_tenant(found, Tenant(tenant="acme"), CHANGE)])
    return made


class TestSecrets:
    """Derived, rotated with an overlap."""

    def signed(self, store, secrets, now_ms=NOW_MS):
        return secrets.signing(store.directory, "acme", now_ms)

    def test_each_tenant_has_a_secret_of_its_own_before_anybody_asked(self, store):
        secrets = WebhookSecrets([PLATFORM])
        (ours,), (theirs,) = self.signed(store, secrets), secrets.signing(store.directory, "globex", NOW_MS)
        assert ours.startswith("whsec_")
        assert ours != theirs
        assert ours not in repr(secrets.shown(store.directory, "acme", NOW_MS))

    def test_after_a_rotation_both_sign_until_the_overlap_ends(self, store):
        secrets = WebhookSecrets([PLATFORM])
        before = self.signed(store, secrets)
        written = store.change(lambda found: rotated(found, "acme", 1000, CHANGE))
        assert all(one.secret_hash == "" for one in written)
        new, old = self.signed(store, secrets)
        assert [old] == before
        assert self.signed(store, secrets, NOW_MS + 1000) == [new]
        store.change(lambda found: rotated(found, "acme", 0, replace(CHANGE, now_ms=NOW_MS + 2000)))
        (newest,) = self.signed(store, secrets, NOW_MS + 2000)
        assert newest != new

    def test_a_new_platform_secret_signs_beside_the_old_one(self, store):
        before = self.signed(store, WebhookSecrets([PLATFORM]))
        both = self.signed(store, WebhookSecrets([PLATFORM[::-1], PLATFORM]))
        assert both[1:] == before

    def test_a_weak_platform_secret_is_refused(self):
        with pytest.raises(FatalError, match="32 characters"):
            WebhookSecrets(["short"])

    def test_nobody_gets_in_with_the_id_of_a_secret(self, store):
        (new, _old) = store.change(lambda found: rotated(found, "acme", 1000, CHANGE))
        with pytest.raises(Exception, match="no such API key"):
            store.directory.holder_of_key(f"drg_{new.credential_id}_{'x' * 43}", NOW_MS)

    def test_the_accounts_are_read_once_for_many_deliveries(self, store):
        reads = []

        class Counting(InMemoryAccounts):
            def read(self):
                reads.append(1)
                return store.directory

        async def ask():
            book = SecretBook(Counting(), WebhookSecrets([PLATFORM]), 30, lambda: NOW_MS)
            return await asyncio.gather(*(book.of("acme") for _ in range(10)))

        assert len({one[0] for one in asyncio.run(ask())}) == 1
        assert len(reads) == 1


def seconds_now() -> int:
    return int(datetime.now(UTC).timestamp())


class TestSigning:
    """By the reference library of Standard Webhooks."""

    def test_the_library_accepts_our_signature_by_any_of_the_secrets(self, store):
        secrets = WebhookSecrets([PLATFORM])
        store.change(lambda found: rotated(found, "acme", 1000, CHANGE))
        both = secrets.signing(store.directory, "acme", NOW_MS)
        body = '{"é":1}'.encode()
        headers = signed_headers("msg_1", seconds_now(), body, both)
        for one in both:
            assert Webhook(one).verify(body, headers) == {"é": 1}

    @pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
    def test_the_library_refuses_whatever_was_changed(self, store, changed):
        (secret,) = WebhookSecrets([PLATFORM]).signing(store.directory, "acme", NOW_MS)
        body, headers = b"{}", signed_headers("msg_1", seconds_now(), b"{}", [secret])
        if changed == "body":
            body = b"[]"
        else:
            headers[changed] = headers[changed][:-1] + ("1" if headers[changed][-1] != "1" else "2")
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def body_of(result, **limits):
    found = delivery_of(result, WebhookLimits(**limits), NOW_MS)
    assert found
    return json.loads(found.body)


class TestBody:
    """What is posted."""

    def test_it_names_the_job_and_where_to_fetch_it_and_not_its_text(self):
        body = body_of(RESULT, public_url="https://api.example/")
        assert (body["type"], body["timestamp"]) == ("translation.completed", "2023-11-14T22:13:20.000Z")
        data = body["data"]
        assert (data["job_id"], data["tenant"], data["status"], data["words"]) == ("r 1", "acme", "COMPLETED", 2)
        assert data["url"] == "https://api.example/api/v1/translations/r%201"
        assert "text" not in data

    def test_a_text_that_fits_the_setting_is_in_it(self):
        assert body_of(RESULT, inline_text_bytes=8)["data"]["text"] == "Bom dia."
        assert "text" not in body_of(RESULT, inline_text_bytes=7)["data"]

    def test_a_document_is_fetched_as_one(self):
        assert body_of(replace(RESULT, kind="document", text=None))["data"]["url"] == "/api/v1/documents/r%201"

    def test_no_callback_and_an_old_result_make_no_delivery(self):
        assert delivery_of(replace(RESULT, callback=None), LIMITS, NOW_MS) is None
        assert delivery_of(RESULT, LIMITS, NOW_MS + DAY_MS) is None


def test_the_example_of_the_documentation_accepts_ours_once_and_refuses_others(store, capsys):
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(compile(example, "docs/webhooks.md", "exec"), namespace)
    (secret,) = WebhookSecrets([PLATFORM]).signing(store.directory, "acme", NOW_MS)
    body = json.dumps(body_of(RESULT)).encode()
    headers = signed_headers("msg_1", seconds_now(), body, [secret])
    assert [namespace["receive"](headers, body, secret) for _ in range(2)] == [204, 204]
    assert capsys.readouterr().out == "r 1 COMPLETED\n"
    with pytest.raises(WebhookVerificationError):
        namespace["receive"](headers, body + b" ", secret)

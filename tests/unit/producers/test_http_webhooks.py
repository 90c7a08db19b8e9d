"""Webhooks over HTTP and on the command line: callbacks, the delivery log, delivering again, secrets."""

import asyncio
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from typer.testing import CliRunner

from producers.cli import webhooks
from producers.cli.api import Api
from producers.cli.main import app
from schemas.deliveries import Attempt, DeliveryState
from stream_apps.pipeline.request_limits import RequestLimits
from tests.accounts import key_of
from tests.unit.producers.problem import problem_of
from tests.webhooks import NOW_MS, delivery

TRANSLATIONS, SECRET = "/api/v1/translations", "/api/v1/webhooks/secret"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}
DELIVERIES = f"{TRANSLATIONS}/r1/deliveries"


@pytest.fixture
def request_limits() -> RequestLimits:
    return RequestLimits(callback_schemes=("https",))


@pytest.fixture
def failed(world):
    """A delivery of acme's that was given up."""
    one = delivery("r1")
    world.deliveries.enqueue([one])
    tried = one.attempted(Attempt(NOW_MS, 0, 10.0, "timeout"), DeliveryState.PENDING, NOW_MS + 5000)
    given_up = tried.attempted(Attempt(NOW_MS + 5000, 500, 0.1), DeliveryState.GIVEN_UP, 0)
    asyncio.run(world.deliveries.settle(given_up))
    return given_up


@pytest.fixture
def acme(http, store):
    return http.showing(key_of(store, "acme", role="admin").text)


def test_a_callback_goes_with_its_request(http, world):
    url = "https://hooks.acme.example/in"
    assert http.post(TRANSLATIONS, json=BODY | {"callback": url}).status_code == 202
    ((request, _, _),) = world.appended
    assert request.callback == url


@pytest.mark.parametrize(
    ("url", "cause"), [("http://hooks.acme.example/", "bad_callback"), ("https://10.0.0.1/", "private_callback")]
)
def test_a_callback_that_may_not_be_posted_to_is_refused_at_once(http, world, url, cause):
    problem = problem_of(http.post(TRANSLATIONS, json=BODY | {"callback": url}), 422, cause)
    assert problem["field"] == "callback"
    assert world.appended == []


def test_the_log_of_a_job_shows_its_last_attempts(acme, failed):
    (shown,) = acme.get(DELIVERIES).json()
    assert shown["webhook_id"] == failed.key.webhook_id
    assert (shown["state"], shown["attempts"], shown["next_attempt_at"]) == ("given_up", 2, None)
    last = [(one["status_code"], one["error"]) for one in shown["last_attempts"]]
    assert last == [(None, "timeout"), (500, None)]


def test_a_job_without_webhooks_has_no_log(acme, http, failed):
    problem_of(acme.get(f"{TRANSLATIONS}/r2/deliveries"), 404, "unknown_job")
    problem_of(http.get(DELIVERIES), 404, "unknown_job")
    assert http.get(f"{DELIVERIES}?tenant=acme").is_success


def test_it_is_delivered_again_with_the_same_id(acme, world, failed):
    answer = acme.post(f"{DELIVERIES}/redeliver")
    assert answer.status_code == 202
    (shown,) = answer.json()
    assert (shown["webhook_id"], shown["state"]) == (failed.key.webhook_id, "pending")
    claimed = asyncio.run(world.deliveries.claim(NOW_MS, NOW_MS + 1, 10, 10, {}))
    assert [one.key for one in claimed] == [failed.key]


def test_a_secret_is_there_from_the_beginning_and_rotates_with_an_overlap(acme):
    (first,) = acme.get(SECRET).json()
    new, old = acme.post(f"{SECRET}/rotate", json={"overlap_seconds": 60}).json()
    assert first["secret"].startswith("whsec_")
    assert (old["secret"], new["expires_at"]) == (first["secret"], None)
    assert old["expires_at"] == "2023-11-14T22:14:20Z"
    assert [one["secret"] for one in acme.get(SECRET).json()] == [new["secret"], old["secret"]]
    (newest,) = acme.post(f"{SECRET}/rotate", json={"overlap_seconds": 0}).json()
    assert newest["secret"] not in (new["secret"], old["secret"])


def test_where_nothing_is_signed_there_is_no_secret(acme):
    state = acme.app.state
    state.ports = replace(state.ports, signing=None)
    problem_of(acme.get(SECRET), 422, "no_webhooks")
    problem_of(acme.post(f"{SECRET}/rotate", json={}), 422, "no_webhooks")


class TestCommand:
    """`dragoman webhooks` against the application in this process."""

    @pytest.fixture
    def run(self, acme, monkeypatch):
        def answer(request):
            kept = {name: value for name, value in request.headers.items() if name == "content-type"}
            found = acme.ask(request.method, request.url.raw_path.decode(), content=request.content, headers=kept)
            return httpx.Response(found.status_code, headers=found.headers, content=found.content)

        @contextmanager
        def open_api(_url, tenant=None):
            with Api("http://testserver", "", tenant, httpx.MockTransport(answer)) as api:
                yield api

        monkeypatch.setattr(webhooks, "open_api", open_api)
        return lambda *words: CliRunner().invoke(app, ["webhooks", *words])

    def test_it_lists_and_delivers_again(self, run, failed):
        header, row = run("list", "r1").stdout.splitlines()
        assert header.split()[:4] == ["webhook", "version", "state", "attempts"]
        assert row.split()[:5] == [failed.key.webhook_id, "1", "given_up", "2", "500"]
        assert '"state": "pending"' in run("redeliver", "r1", "--json").stdout
        unknown = run("list", "nobodys")
        assert unknown.exit_code == 1
        assert "there is no job" in unknown.stderr

    def test_it_prints_secrets_and_rotates_them(self, run):
        (first,) = run("secret").stdout.splitlines()
        rotated = run("secret", "--rotate", "--overlap", "1h")
        assert rotated.stdout.splitlines()[1] == first
        assert "expires" in rotated.stderr

"""Bodies and open submissions are bounded, in number and bytes; what is refused is not read."""

import asyncio
import gzip

import httpx
import pytest

from connectors.memory import InMemoryShares
from connectors.redis.job_view import JobView
from producers.http.admission.tenant_shares import TenantShares
from producers.http.app import AppSettings, create_app
from producers.http.ports import Ports
from schemas.states import JobStage
from tests.accounts import NOW_MS, accounts_of, bearer, key_of
from tests.keys import key
from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}


class SlowKafka:
    """Acknowledges when told."""

    def __init__(self):
        self.may_acknowledge = asyncio.Event()
        self.appended = 0

    async def append(self, request, priority, headers):
        self.appended += 1
        await self.may_acknowledge.wait()

    async def cancel(self, order):
        raise NotImplementedError  # no test of this file cancels


@pytest.fixture
def while_open(world, limits, request_limits, health, backpressure, store):  # noqa: PLR0917  # one per part
    """`while_open(limits, open_bodies, work)`: what `work(client)` gives while those submissions wait."""

    def run(changes, open_bodies, work):
        async def go():
            kafka = SlowKafka()
            shares = TenantShares(InMemoryShares(), lambda: NOW_MS)
            accounts, headers = accounts_of(store), bearer(key_of(store).text)
            others = (world,) * 4
            ports = Ports(kafka, *others, backpressure, accounts, shares, lambda: NOW_MS)
            settings = AppSettings(limits.model_copy(update=changes), request_limits)
            transport = httpx.ASGITransport(create_app(ports, settings, health))
            async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
                posts = [asyncio.create_task(client.post(URL, json=body)) for body in open_bodies]
                while kafka.appended < len(open_bodies):
                    await asyncio.sleep(0)
                meanwhile = await work(client)
                kafka.may_acknowledge.set()
                return meanwhile, [(await post).status_code for post in posts], await client.post(URL, json=BODY)

        return asyncio.run(go())

    return run


def test_one_submission_too_many_is_refused_and_there_is_room_again_afterwards(while_open):
    refused, opened, later = while_open(
        {"max_open_requests": 2}, [BODY, BODY], lambda client: client.post(URL, json=BODY)
    )
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["type"] == "urn:dragoman:problem:overloaded"
    assert opened == [202, 202]
    assert later.status_code == 202


@pytest.mark.parametrize(("path", "member"), [("/translate", "error"), ("/v2/translate", "message")])
def test_who_speaks_the_interface_of_another_is_refused_in_its_form(while_open, path, member):
    seen, *_ = while_open({"max_open_requests": 1}, [BODY], lambda client: client.post(path, json={"q": "Hello."}))
    assert (seen.status_code, list(seen.json())) == (503, [member])
    assert int(seen.headers["retry-after"]) >= 1


def test_bytes_are_bounded_too(while_open):
    large = BODY | {"text": "a" * 900}
    refused, opened, _ = while_open({"max_open_bytes": 1000}, [large], lambda client: client.post(URL, json=large))
    assert (refused.status_code, opened) == (503, [202])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_bodies_of_changes_count_among_them(while_open, method):
    path = "/v3/glossaries/terms/dictionaries" if method == "PUT" else "/v3/glossaries/terms"
    seen, *_ = while_open({"max_open_requests": 1}, [BODY], lambda client: client.request(method, path, json={}))
    assert (seen.status_code, list(seen.json())) == (503, ["message"])


def test_a_compressed_body_counts_as_the_longest(while_open):
    def small(client):
        packed = {"content-type": "application/json", "content-encoding": "gzip"}
        return client.post("/translate", content=gzip.compress(b"{}"), headers=packed)

    refused, opened, _ = while_open({"max_body_bytes": 900, "max_open_bytes": 900}, [BODY], small)
    assert (refused.status_code, opened) == (503, [202])


def test_a_body_of_unknown_length_counts_as_the_longest(while_open):
    async def chunks():
        yield b'{"text": "a", "target_language": "pt"}'

    headers = {"content-type": "application/json"}
    refused, *_ = while_open(
        {"max_open_bytes": 20_000}, [BODY], lambda client: client.post(URL, content=chunks(), headers=headers)
    )
    assert refused.status_code == 503


def test_jobs_can_be_looked_at_while_no_submission_fits(while_open, world):
    world.views[key("job-1")] = JobView(key=key("job-1"), stage=JobStage.ACCEPTED)
    seen, *_ = while_open({"max_open_requests": 1}, [BODY], lambda client: client.get(f"{URL}/job-1"))
    assert seen.status_code == 200


async def in_chunks(body):
    for start in range(0, len(body), 15_000):
        yield body[start : start + 15_000]


@pytest.mark.parametrize("declares_its_length", [True, False])
def test_a_body_that_is_too_large_is_refused_while_it_arrives(http, declares_its_length):
    body = b'{"text": "' + b"a" * 30_000 + b'", "target_language": "pt"}'
    content = body if declares_its_length else in_chunks(body)
    answer = http.post(URL, content=content, headers={"content-type": "application/json"})
    assert problem_of(answer, 413, "body_too_large")["limit"] == "20000 bytes"


def test_a_length_of_more_digits_than_a_number_may_have_is_too_large(http):
    headers = {"content-type": "application/json", "content-length": "9" * 5_000}
    problem_of(http.post(URL, content=b"{}", headers=headers), 413, "body_too_large")


def test_metrics_count_by_route_and_never_by_job(http, world):
    world.views[key("job-42")] = JobView(key=key("job-42"), stage=JobStage.ACCEPTED)
    http.get(f"{URL}/job-42")
    text = http.get("/metrics").text
    assert 'dragoman_http_requests_total{method="GET",route="/api/v1/translations/{job_id}",status="200"}' in text
    assert "job-42" not in text

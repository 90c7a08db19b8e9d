"""So many submissions at a time, and so many bytes of them; the rest is refused unread."""

import asyncio

import httpx
import pytest

from connectors.redis.job_view import JobView
from producers.http.app import create_app
from producers.http.ports import Ports

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


@pytest.fixture
def while_open(world, limits, health, admission):
    """`while_open(limits, open_bodies, work)`: what `work(client)` gives while those submissions wait."""

    def run(changes, open_bodies, work):
        async def go():
            kafka = SlowKafka()
            ports = Ports(kafka, world, world, world, admission, lambda: 1_700_000_000_000)
            app = create_app(ports, limits.model_copy(update=changes), health)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
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


def test_bytes_are_bounded_too(while_open):
    large = BODY | {"text": "a" * 900}
    refused, opened, _ = while_open({"max_open_bytes": 1000}, [large], lambda client: client.post(URL, json=large))
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
    world.views["job-1"] = JobView(request_id="job-1", tenant="default", stage="ACCEPTED")
    seen, *_ = while_open({"max_open_requests": 1}, [BODY], lambda client: client.get(f"{URL}/job-1"))
    assert seen.status_code == 200

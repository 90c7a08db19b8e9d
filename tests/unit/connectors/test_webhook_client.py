"""A webhook reaches the address that was checked, and nothing else."""

import asyncio
from ipaddress import ip_address

import pytest

from connectors.webhooks.client import WebhookClient
from tests.webhooks import receiving

HEADERS = {"webhook-id": "msg_1"}


@pytest.fixture(scope="module")
def tls():
    return WebhookClient().tls


def posted(url, tls, **rest):
    return asyncio.run(WebhookClient(tls=tls, **{"allows_private": True, **rest}).post(url, HEADERS, b"{}"))


class Resolver:
    """Resolves to the next of the answers at each call."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def __call__(self, host, port):
        self.asked.append((host, port))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(one) for one in found]


def test_a_post_arrives_with_its_headers_its_body_and_the_name_of_its_host(tls):
    resolve = Resolver(["127.0.0.1"])
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.acme.example")
        answer = posted(url, tls, resolve=resolve)
    ((headers, body),) = receiver.received
    assert (answer.status_code, answer.error, body) == (204, "", b"{}")
    assert headers["webhook-id"] == "msg_1"
    assert headers["host"] == url.split("/")[2]


def test_a_name_that_is_public_when_checked_and_private_when_used_is_resolved_once_and_pinned(tls):
    resolve = Resolver(["203.0.113.1", "8.8.8.8"], ["127.0.0.1"])
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "rebinding.example")
        first = posted(url, tls, resolve=resolve, allows_private=False, timeout_seconds=0.2)
        second = posted(url, tls, resolve=resolve, allows_private=False)
    # 203.0.113.0/24 is for documents only, so not public either.
    assert (first.error, second.error) == ("private_address", "private_address")
    assert len(resolve.asked) == 2
    assert receiver.received == []


def test_the_connection_goes_to_the_checked_address_though_the_name_leads_elsewhere_by_then(tls):
    resolve = Resolver(["127.0.0.1"], ["192.0.2.1"])
    with receiving() as receiver:
        answer = posted(receiver.url.replace("127.0.0.1", "rebinding.example"), tls, resolve=resolve)
    assert (answer.status_code, len(receiver.received), len(resolve.asked)) == (204, 1, 1)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "localhost"]
)
def test_a_private_address_is_not_reached(tls, host):
    answer = posted(f"http://{host}:9/", tls, allows_private=False, timeout_seconds=1)
    assert (answer.status_code, answer.error) == (0, "private_address")


def test_one_private_address_among_public_ones_is_enough(tls):
    answer = posted("http://a.example/", tls, resolve=Resolver(["8.8.8.8", "10.0.0.1"]), allows_private=False)
    assert answer.error == "private_address"


def test_a_redirect_is_an_answer_and_not_followed(tls):
    with receiving() as elsewhere, receiving(answers=[302], headers={"location": elsewhere.url}) as receiver:
        answer = posted(receiver.url, tls)
    assert (answer.status_code, elsewhere.received) == (302, [])


def test_a_slow_endpoint_is_left_after_the_time_out(tls):
    with receiving(seconds=0.5) as receiver:
        answer = posted(receiver.url, tls, timeout_seconds=0.1)
    assert (answer.status_code, answer.error) == (0, "timeout")
    assert answer.seconds < 0.4


def test_an_endpoint_may_say_when_it_wants_the_next_attempt(tls):
    with receiving(answers=[503], headers={"retry-after": "120"}) as receiver:
        assert posted(receiver.url, tls).retry_after_seconds == 120


def test_where_nobody_listens_the_failure_is_named(tls):
    assert posted("http://127.0.0.1:1/", tls).error == "ConnectError"


def test_the_proxy_of_the_environment_is_not_used(tls, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with receiving() as receiver:
        assert posted(receiver.url, tls).status_code == 204

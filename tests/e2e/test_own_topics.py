"""Two tenants with Kafka access of their own, on the whole platform: each sees its own answers and no others.

They use the same request ids. Assembly is killed in the middle, one tenant names the other one, and one has a
request erased.
"""

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from deploy.local.main import down, up
from deploy.local.settings import StackSettings
from tests.outside import Outside, Tail, encoded, request_of
from tests.servers import LIBRARIES
from tests.stack import Stack

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]

TENANTS = ("acme", "globex")
REQUESTS, KILLS = 90, 3
PRIORITIES = ("critical", "high", "standard")
# Long enough for an answer that must not come.
QUIET_SECONDS = 3.0


@pytest.fixture(scope="module")
def stack_with_tenants(tmp_path_factory) -> Iterator[Stack]:
    root = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DRAGOMAN_KAFKA_TENANTS", '["acme", "globex"]')
        up(
            StackSettings(root=root, kafka_libraries=LIBRARIES, workers=1),
            detach=True,
            on_progress=lambda *_: None,
        )
    yield Stack(root)
    down(root)


@pytest.fixture
def outside(stack_with_tenants) -> Outside:
    return Outside(stack_with_tenants.kafka_bootstrap)


def results_of(outside: Outside, topic: str) -> Tail:
    return outside.tail(topic, message="TranslationResult")


def send(outside: Outside, topic: str, tenant: str, request_id: str) -> None:
    """Send the request; an empty tenant leaves it to the topic."""
    text = f"The house number {request_id} is green. The garden is old."
    request = request_of(tenant=tenant, request_id=request_id, text=text)
    outside.send_bytes(topic, f"{tenant}/{request_id}", encoded("TranslationRequest", request))


def order(outside: Outside, topic: str, tenant: str, request_id: str, action: str) -> None:
    outside.send_bytes(
        topic, "k", encoded("JobControl", {"tenant": tenant, "request_id": request_id, "action": action})
    )


def kill(stack: Stack, name: str) -> None:
    pid = stack.pid(name)
    os.kill(pid, signal.SIGKILL)
    stack.wait_for_restart(name, pid)


def keys(found: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((one["tenant"], one["request_id"]) for one in found)


def test_each_sees_its_own_results_once_though_assembly_is_killed(stack_with_tenants, outside):
    run = uuid.uuid4().hex[:6]
    shared = results_of(outside, "translation.results")
    copies = {tenant: results_of(outside, f"translation.results.{tenant}") for tenant in TENANTS}
    ids = [f"{run}-{number}" for number in range(REQUESTS)]
    for number, request_id in enumerate(ids):
        for tenant in TENANTS:
            topic = f"translation.requests.{tenant}.{PRIORITIES[number % 3]}"
            send(outside, topic, tenant if number % 2 else "", request_id)
        if number % (REQUESTS // KILLS) == REQUESTS // KILLS // 2:
            kill(stack_with_tenants, "assembly-1")
    # As by HTTP: its result is copied, too. And another tenant's is not.
    for tenant in ("acme", "other"):
        send(outside, "translation.requests.high", tenant, f"{run}-shared")
    wanted = {(tenant, one) for tenant in TENANTS for one in ids}
    wanted |= {(tenant, f"{run}-shared") for tenant in ("acme", "other")}
    shared.until(lambda read: wanted <= keys(read).keys(), timeout_seconds=120)
    for tail in (shared, *copies.values()):
        tail.more(QUIET_SECONDS)
        tail.more(QUIET_SECONDS)
    assert keys(shared.read) == Counter(dict.fromkeys(wanted, 1))
    assert {one["status"] for one in shared.read} == {"COMPLETED"}
    for tenant, tail in copies.items():
        mine = [one for one in shared.read if one["tenant"] == tenant]
        assert sorted(tail.read, key=str) == sorted(mine, key=str)
        tail.close()
    shared.close()


def test_who_names_another_tenant_is_refused_and_the_other_notices_nothing(outside):
    request_id = f"theirs-{time.time_ns()}"
    with (
        closing(outside.tail("translation.dead_letters")) as letters,
        closing(results_of(outside, "translation.results.globex")) as globex,
        closing(results_of(outside, "translation.results.acme")) as acme,
    ):
        send(outside, "translation.requests.acme.high", "globex", request_id)
        order(outside, "translation.control.acme", "globex", request_id, "CANCEL")
        refused = letters.until(lambda read: len(read) >= 2)
        assert {(one["stage"], one["cause"], one["field"], one["limit"], one["tenant"]) for one in refused} == {
            (stage, "tenant_contradicts_topic", "tenant", "acme", "acme") for stage in ("intake", "assembly")
        }
        send(outside, "translation.requests.globex.high", "", request_id)
        assert globex.of(request_id)["status"] == "COMPLETED"
        acme.more(QUIET_SECONDS)
        assert acme.read == []


def test_an_erased_result_takes_the_place_of_the_copy(outside):
    request_id = f"erased-{time.time_ns()}"
    with closing(results_of(outside, "translation.results.acme")) as acme:
        send(outside, "translation.requests.acme.high", "", request_id)
        assert acme.of(request_id)["text"]
        order(outside, "translation.control.acme", "", request_id, "ERASE")
        first, again = acme.until(lambda read: len(read) >= 2)
        assert (again["request_id"], again["text"], first["erased_at"]) == (request_id, None, None)
        assert again["erased_at"]

"""POST and GET /api/v1/tenants/{tenant}/erase: who is heard, what is ordered, and how far it is."""

import asyncio
import threading
from itertools import repeat

import pytest

from connectors.memory import InMemoryTenantErasures
from producers.http.blocking.tenant_erasing import TenantErasing
from producers.http.errors import OverloadedError
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.tenant_erasures import ErasureStage
from stream_apps.redrive.erasing import Found
from tests.accounts import key_of
from tests.http_world import NOW_MS
from tests.keys import key
from tests.unit.producers.problem import problem_of

URL = "/api/v1/tenants/acme/erase"
ACME = [key(f"job-{number}", "acme") for number in range(1_100)]


class Eraser:
    """Knows the requests of acme. It finds them once it may go on."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.ordered: list[JobKey] = []
        self.searches = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.portion = len(ACME)

    def find(self, tenant):
        self.searches += 1
        assert self.may_go_on.wait(5)
        if self.failures:
            raise self.failures.pop()
        found = [one for one in ACME if one.tenant == tenant and one not in self.ordered]
        yield Found(found[: self.portion], is_last=len(found) <= self.portion)
        if len(found) > self.portion:
            yield Found(found[self.portion :], is_last=True)

    def order(self, keys, requested_by):
        for one, by in zip(keys, repeat(requested_by)):  # endless
            assert by == "http:ab12"
            self.ordered.append(one)
            yield one


def erasing(eraser, **rest):
    return TenantErasing(eraser, InMemoryTenantErasures(), lambda: NOW_MS, **rest)


def told(found):
    return found.stage, found.requests, found.ordered


def test_every_request_of_the_tenant_is_ordered_to_be_erased_and_the_end_is_told():
    async def erase():
        eraser = Eraser()
        work = erasing(eraser)
        begun = await work.start("acme", "http:ab12")
        assert told(begun) == (ErasureStage.WAITING, None, 0)
        await work.finished()
        return eraser.ordered, await work.look("acme"), await work.look("globex")

    ordered, found, foreign = asyncio.run(erase())
    assert ordered == ACME
    assert told(found) == (ErasureStage.ORDERED, 1_100, 1_100)
    assert foreign is None


def test_who_asks_twice_begins_once_and_others_wait_for_their_turn():
    async def erase():
        eraser = Eraser()
        eraser.may_go_on.clear()
        work = erasing(eraser, tell_seconds=0.01)
        await asyncio.gather(*[work.start("acme", "http:ab12") for _ in range(3)])
        await work.start("globex", "http:ab12")
        while (await work.look("acme")).stage is not ErasureStage.READING:
            await asyncio.sleep(0.01)
        waiting, searches = await work.look("globex"), eraser.searches
        eraser.may_go_on.set()
        await work.finished()
        return told(waiting), searches, told(await work.look("globex")), eraser.searches

    waiting = (ErasureStage.WAITING, None, 0)
    assert asyncio.run(erase()) == (waiting, 1, (ErasureStage.ORDERED, 0, 0), 2)


def test_a_failure_is_told_and_asked_again_it_goes_on():
    async def erase():
        work = erasing(Eraser(TransientError("Kafka is away")))
        ends = []
        for _ in range(2):
            await work.start("acme", "http:ab12")
            await work.finished()
            ends.append(told(await work.look("acme")))
        return ends

    assert asyncio.run(erase()) == [(ErasureStage.FAILED, None, 0), (ErasureStage.ORDERED, 1_100, 1_100)]


def test_orders_go_on_while_nothing_can_be_told_but_nothing_is_promised_then():
    class Away(InMemoryTenantErasures):
        is_away = False

        async def note(self, erasure):
            if self.is_away:
                raise TransientError("Redis is away")
            await super().note(erasure)

    async def erase():
        eraser, notes = Eraser(), Away()
        work = TenantErasing(eraser, notes, lambda: NOW_MS)
        await work.start("acme", "http:ab12")
        notes.is_away = True
        await work.finished()
        with pytest.raises(TransientError):
            await work.start("acme", "http:ab12")
        return len(eraser.ordered), eraser.searches

    assert asyncio.run(erase()) == (1_100, 1)


def test_too_many_at_once_are_refused_but_not_a_repeat_of_one_of_them():
    async def erase():
        eraser = Eraser()
        eraser.may_go_on.clear()
        work = erasing(eraser)
        for number in range(20):
            await work.start(f"tenant-{number}", "http:ab12")
        try:
            with pytest.raises(OverloadedError):
                await work.start("acme", "http:ab12")
            assert await work.look("acme") is None
            repeated = await work.start("tenant-19", "http:ab12")
            assert told(repeated) == (ErasureStage.WAITING, None, 0)
        finally:
            eraser.may_go_on.set()
            await work.finished()

    asyncio.run(erase())


def test_one_that_another_process_is_at_is_not_begun_twice():
    async def erase():
        eraser, notes = Eraser(), InMemoryTenantErasures()
        eraser.may_go_on.clear()
        first, second = (TenantErasing(eraser, notes, lambda: NOW_MS) for _ in range(2))
        begun = await first.start("acme", "http:ab12")
        again = await second.start("acme", "http:cd34")
        eraser.may_go_on.set()
        await asyncio.gather(first.finished(), second.finished())
        return begun, again, eraser.searches

    begun, again, searches = asyncio.run(erase())
    assert (again.asked_by, again.asked_at, searches) == (begun.asked_by, begun.asked_at, 1)


def test_a_tenant_with_more_requests_than_are_remembered_is_erased_portion_by_portion():
    async def erase():
        eraser = Eraser()
        eraser.portion = 700
        work = erasing(eraser)
        await work.start("acme", "http:ab12")
        await work.finished()
        return eraser.ordered, told(await work.look("acme"))

    assert asyncio.run(erase()) == (ACME, (ErasureStage.ORDERED, 1_100, 1_100))


def test_a_process_that_closes_ends_them_in_order_and_tells_so():
    async def erase():
        eraser = Eraser()
        eraser.may_go_on.clear()
        work = erasing(eraser, tell_seconds=0.01)
        for tenant in ("acme", "globex"):
            await work.start(tenant, "http:ab12")
        while (await work.look("acme")).stage is not ErasureStage.READING:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(work.close(5))
        await asyncio.sleep(0.01)
        eraser.may_go_on.set()
        await closing
        return [(await work.look(one)).stage for one in ("acme", "globex")], eraser

    stages, eraser = asyncio.run(erase())
    assert stages == [ErasureStage.INTERRUPTED] * 2
    assert (eraser.ordered, eraser.searches) == ([], 1)


def test_an_operator_begins_it_by_repeating_the_name(http):
    answer = http.post(URL, json={"confirm": "acme"})
    assert answer.status_code == 202
    begun = answer.json()
    assert begun["asked_at"] == begun["updated_at"] > "2026"
    assert begun == {**begun, "tenant": "acme", "status": "WAITING", "requests": None, "ordered": 0}
    assert http.get(URL).json()["asked_at"] == begun["asked_at"]


@pytest.mark.parametrize("said", ["", "globex", "ACME", "acme "])
def test_another_name_than_that_of_the_tenant_begins_nothing(http, said):
    problem = problem_of(http.post(URL, json={"confirm": said}), 422, "not_confirmed")
    assert (problem["field"], problem["limit"]) == ("confirm", "acme")
    assert problem_of(http.get(URL), 404, "no_erasure")["cure"].startswith("begin one")


@pytest.mark.parametrize("body", [{}, {"confirm": "acme", "force": True}, {"confirm": 4}])
def test_a_body_without_the_confirmation_alone_is_refused(http, body):
    problem_of(http.post(URL, json=body), 422, "invalid_request")


def test_what_is_no_name_of_a_tenant_is_refused(http):
    problem_of(http.post("/api/v1/tenants/Acme_1/erase", json={"confirm": "Acme_1"}), 422, "invalid_request")


def test_an_admin_of_the_tenant_is_no_operator(http, store):
    admin = http.showing(key_of(store, "acme", role="admin").text)
    problem_of(admin.post(URL, json={"confirm": "acme"}), 403, "missing_scope")
    problem_of(admin.get(URL), 403, "missing_scope")

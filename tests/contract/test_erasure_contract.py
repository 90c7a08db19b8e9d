"""One contract for every implementation of Slots: an erased request is answered by its erasure alone."""

import asyncio
from dataclasses import replace

import pytest
import redis

from connectors.memory import InMemorySlots
from connectors.redis.deliveries import AsyncRedisDeliveries, RedisDeliveries
from connectors.redis.erasures import RedisErasures
from connectors.redis.job_view import JobViews
from connectors.redis.request_markers import RedisRequestPlans
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.deliveries import Delivery, DeliveryKey
from schemas.errors import TransientError
from schemas.plans import RequestPlan
from schemas.slots import (
    AnswerOrder,
    Arrival,
    Completion,
    ErasureDecision,
    ErasureOrder,
    RequestRevision,
    SlotDecision,
    Verdict,
)
from stream_apps.pipeline.stores import Slots
from tests.keys import key, revision
from tests.webhooks import delivery

R1 = key("r1")
ANSWERED = SlotDecision(Verdict.ANSWERED)
ERASED_ALREADY = ErasureDecision(Verdict.ANSWERED)


@pytest.fixture(params=["memory", "valkey"])
def slots(request) -> Slots:
    if request.param == "memory":
        return InMemorySlots()
    client = request.getfixturevalue("valkey")
    client.flushall()
    return RedisSlots(client, SlotRetention(100, 200))


@pytest.fixture
def real(valkey) -> RedisSlots:
    valkey.flushall()
    return RedisSlots(valkey, SlotRetention(100, 200))


def batch(number: int, offset: int, batches: int = 2, version: int = 1) -> Arrival:
    return Arrival(revision("r1", version), "v1", number, batches, f"text {number}".encode(), f"t-0-{offset}")


def erase(slots: Slots, at: int = 7) -> ErasureDecision:
    return slots.erase([ErasureOrder(R1, f"c-0-{at}")])[0]


def answer(slots: Slots, version: int = 1, offset: int = 1) -> None:
    slots.decide([batch(0, offset, 1, version)])
    slots.finish({revision("r1", version): Completion(f"t-0-{offset}", "COMPLETED", 1000 + version, b"the text")})


def finish(slots: Slots, at: int = 7) -> None:
    slots.finish({RequestRevision(R1): Completion(f"c-0-{at}", "COMPLETED", 1001, b"no text", erased_at=5000)})


def test_an_open_request_gives_its_header_and_is_answered_by_no_other_record(slots):
    slots.decide([batch(0, 1)])
    found = erase(slots)
    assert (found.verdict, found.answered, found.is_settled) == (Verdict.COMPLETE, None, True)
    assert found.slot == b"text 0"
    late = [
        batch(1, 2),
        AnswerOrder(revision("r1"), "c-0-9"),
        batch(0, 3, 1, version=2),
        batch(1, 4, 2, version=3),
    ]
    assert slots.decide(late) == [ANSWERED] * 4


def test_an_answered_request_tells_of_its_newest_answer(slots):
    answer(slots)
    answer(slots, version=2, offset=5)
    found = erase(slots)
    assert found.answered is not None
    assert (found.version, found.answered.at_ms, found.is_settled, found.slot) == (2, 1002, True, None)
    assert slots.decide([batch(0, 9, 1, version=3)]) == [ANSWERED]


def test_an_answer_under_way_may_still_be_found_and_is_not_settled(slots):
    answer(slots)
    slots.decide([batch(0, 5, 1, version=2)])
    found = erase(slots)
    assert (found.version, found.is_settled) == (1, False)


def test_an_only_answer_under_way_may_still_be_found_however_often_the_order_is_read(slots):
    slots.decide([batch(0, 5, 1)])
    assert [erase(slots).is_settled, erase(slots).is_settled] == [False, False]
    slots.finish({revision("r1"): Completion("t-0-5", "COMPLETED", 1001, b"the text")})
    found = erase(slots)
    assert (found.version, found.is_settled) == (1, True)


def test_an_open_request_is_settled_however_often_the_order_is_read(slots):
    slots.decide([batch(0, 1)])
    assert [erase(slots).is_settled, erase(slots).is_settled] == [True, True]


def test_what_nobody_knows_is_claimed_all_the_same(slots):
    found = erase(slots)
    assert (found.verdict, found.answered, found.noted_at, found.is_settled) == (Verdict.COMPLETE, None, 0, True)
    assert slots.decide([batch(0, 1, 1)]) == [ANSWERED]


def test_an_order_wins_again_until_it_is_finished_and_a_second_one_never(slots):
    answer(slots)
    first = erase(slots)
    assert erase(slots) == first
    assert erase(slots, at=8) == ERASED_ALREADY
    finish(slots)
    assert [erase(slots), erase(slots, at=9)] == [ERASED_ALREADY] * 2


def test_an_answer_that_was_under_way_is_not_confirmed_and_others_are(slots):
    slots.decide([batch(0, 1, 1)])
    mine, other = {revision("r1"): "t-0-1"}, {revision("r2"): "t-0-2"}
    slots.confirm(mine)
    erase(slots)
    with pytest.raises(TransientError, match="erasure"):
        slots.confirm(mine)
    with pytest.raises(TransientError, match="erasure"):
        slots.confirm({revision("r1", 2): "t-0-3"})
    slots.confirm(other)
    slots.confirm({revision("r1"): "c-0-7"})


def test_an_answer_that_is_told_of_after_the_erasure_shows_no_text(slots, request):
    slots.decide([batch(0, 1, 1)])
    erase(slots)
    slots.finish({revision("r1"): Completion("t-0-1", "COMPLETED", 1001, b"the text")})
    finish(slots)
    slots.finish({revision("r1", 2): Completion("t-0-1", "COMPLETED", 1001, b"the text")})
    if isinstance(slots, InMemorySlots):
        assert slots.results == {R1: b"no text"}
    else:
        assert request.getfixturevalue("valkey").get("result:{default/r1}") == b"no text"


def test_another_request_is_not_touched(slots):
    erase(slots)
    other = Arrival(revision("r2"), "v1", 0, 1, b"text", "t-0-1")
    assert slots.decide([other])[0].verdict is Verdict.COMPLETE
    same_id = Arrival(revision("r1", tenant="acme"), "v1", 0, 1, b"text", "t-0-2")
    assert slots.decide([same_id])[0].verdict is Verdict.COMPLETE


def test_nothing_of_the_text_stays_in_redis_and_nothing_comes_back(real, valkey):
    plan = RequestPlan(kind="document", file_name="secret.docx", segments=3, submitted_at=1_764_489_600_123)
    hook = replace(delivery(), key=DeliveryKey(R1, 1), body="the text in a webhook")
    deliveries = RedisDeliveries(valkey, 1000)
    note(valkey, plan)
    answer(real)
    assert deliveries.enqueue([hook]) == 1
    erase(real)
    finish(real)
    note(valkey, plan)
    assert deliveries.enqueue([hook]) == 0
    settle(valkey, hook)
    everything = b" ".join(valkey.dump(name) or b"" for name in valkey.scan_iter())
    assert b"no text" in everything
    for secret in (b"the text", b"secret.docx"):
        assert secret not in everything
    view = JobViews(valkey).read(R1)
    assert view is not None
    assert (view.status, view.erased_at, view.file_name, view.segments) == ("COMPLETED", 5000, "", 3)
    assert view.submitted_at == 1_764_489_600_123


def note(valkey, plan: RequestPlan) -> None:
    async def noted() -> None:
        async with asynchronous(valkey) as client:
            await RedisRequestPlans(client, 1000, replaces=True).note({R1: plan})

    asyncio.run(noted())


def asynchronous(valkey) -> redis.asyncio.Redis:
    at = valkey.connection_pool.connection_kwargs
    return redis.asyncio.Redis(host=at["host"], port=at["port"])


def settle(valkey, hook: Delivery) -> None:
    async def settled() -> None:
        async with asynchronous(valkey) as client:
            await AsyncRedisDeliveries(client, 1000).settle(hook)

    asyncio.run(settled())


def test_repair_hears_of_erased_requests_until_it_forgets_them(real, valkey):
    erase(real)
    finish(real)
    erased = RedisErasures(valkey)
    assert erased.all() == {R1: 5000}
    erased.forget([])
    erased.forget([R1])
    assert erased.all() == {}

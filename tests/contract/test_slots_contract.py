"""One contract for every implementation of Slots: each request is answered by one record."""

import random

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.memory import InMemorySlots
from connectors.redis.client import Client
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.errors import TransientError
from schemas.messages import Job
from schemas.slots import AnswerOrder, Arrival, Completion, SlotDecision, Verdict
from stream_apps.pipeline.join import split_of
from stream_apps.pipeline.stores import Slots
from tests.keys import revision

NEVER = Retry(NoBackoff(), 0)
RETENTION = SlotRetention(slots_seconds=100, done_seconds=200)
WAITING, ANSWERED = SlotDecision(Verdict.WAITING), SlotDecision(Verdict.ANSWERED)


@pytest.fixture(params=["memory", "valkey"])
def slots(request) -> Slots:
    if request.param == "memory":
        return InMemorySlots()
    client: Client = request.getfixturevalue("valkey")
    client.flushall()
    return RedisSlots(client, RETENTION)


@pytest.fixture
def real(valkey) -> RedisSlots:
    valkey.flushall()
    return RedisSlots(valkey, RETENTION)


def arrival(
    number: int,
    offset: int,
    batches: int = 3,
    split: str = "v1/3",
    request_id: str = "r1",
    *,
    tenant: str = "default",
) -> Arrival:
    return Arrival(
        revision(request_id, tenant=tenant),
        split,
        number,
        batches,
        f"{split} {number} at {offset}".encode(),
        f"t-0-{offset}",
    )


def complete(*slots: str) -> SlotDecision:
    return SlotDecision(Verdict.COMPLETE, tuple(slot.encode() for slot in slots))


def one(slots: Slots, entry: Arrival | AnswerOrder) -> SlotDecision:
    return slots.decide([entry])[0]


def test_the_record_that_fills_the_last_slot_gets_all_slots_in_order(slots):
    found = slots.decide([arrival(2, 10), arrival(0, 11), arrival(1, 12)])
    assert found == [WAITING, WAITING, complete("v1/3 0 at 11", "v1/3 1 at 12", "v1/3 2 at 10")]


def test_a_single_batch_completes_its_request_at_once(slots):
    assert one(slots, arrival(0, 5, batches=1, split="v1/1")) == complete("v1/1 0 at 5")


def test_a_correction_has_slots_and_a_completer_of_its_own(slots):
    first, second = (
        Arrival(revision("r1", number), "v1/1", 0, 1, f"answer {number}".encode(), f"t-0-{number}")
        for number in (1, 2)
    )
    assert slots.decide([first, second]) == [complete("answer 1"), complete("answer 2")]
    slots.finish({revision("r1"): Completion("t-0-1")})
    assert one(slots, first) == ANSWERED
    assert one(slots, second) == complete("answer 2")


def test_a_request_counts_as_answered_when_its_answer_is_final(slots):
    slots.decide([arrival(0, 5, batches=1, split="v1/1")])
    assert slots.answered([revision("r1"), revision("r2")]) == [False, False]
    slots.finish({revision("r1"): Completion("t-0-5")})
    assert slots.answered([revision("r1"), revision("r2")]) == [True, False]


def test_a_reopened_request_can_be_answered_by_another_record(slots):
    slots.decide([arrival(0, 5, batches=1, split="v1/1")])
    slots.finish({revision("r1"): Completion("t-0-5")})
    slots.reopen([revision("r1"), revision("r2")])
    assert slots.answered([revision("r1")]) == [False]
    assert one(slots, arrival(0, 9, batches=1, split="v1/1")) == complete("v1/1 0 at 9")


def test_no_entries_need_no_answer(slots):
    assert slots.answered([]) == []
    slots.reopen([])
    assert slots.decide([]) == []
    slots.finish({})


def test_the_first_payload_of_a_slot_stays(slots):
    slots.decide([arrival(0, 1), arrival(0, 2), arrival(1, 3)])
    assert one(slots, arrival(2, 4)) == complete("v1/3 0 at 1", "v1/3 1 at 3", "v1/3 2 at 4")


def test_a_duplicate_does_not_count_as_another_slot(slots):
    assert slots.decide([arrival(0, 1), arrival(0, 2), arrival(0, 3)]) == [WAITING] * 3


def test_a_completer_that_is_read_again_wins_again_with_the_same_slots(slots):
    entries = [arrival(0, 1), arrival(1, 2), arrival(2, 3)]
    first = slots.decide(entries)
    assert slots.decide(entries) == [ANSWERED, ANSWERED, first[2]]


def test_a_duplicate_batch_never_answers_before_the_commit_of_the_completer(slots):
    slots.decide([arrival(0, 1), arrival(1, 2), arrival(2, 3)])
    assert slots.decide([arrival(number, 10 + number) for number in range(3)]) == [ANSWERED] * 3


def test_nothing_answers_after_finish_not_even_the_completer(slots):
    slots.decide([arrival(0, 1), arrival(1, 2), arrival(2, 3)])
    slots.finish({revision("r1"): Completion("t-0-3")})
    late = [arrival(2, 3), arrival(0, 1), arrival(0, 20), AnswerOrder(revision("r1"), "c-0-1")]
    assert slots.decide(late) == [ANSWERED] * 4


def test_finish_may_be_repeated(slots):
    one(slots, arrival(0, 1, batches=1))
    slots.finish({revision("r1"): Completion("t-0-1")})
    slots.finish({revision("r1"): Completion("t-0-1")})
    assert one(slots, arrival(0, 1, batches=1)) == ANSWERED


def test_an_order_before_completion_wins_and_the_batches_lose(slots):
    one(slots, arrival(0, 1))
    found = slots.decide([AnswerOrder(revision("r1"), "c-0-7"), arrival(1, 2), arrival(2, 3)])
    assert found == [complete("v1/3 0 at 1"), ANSWERED, ANSWERED]


def test_an_order_for_a_request_without_batches_wins_without_slots(slots):
    assert one(slots, AnswerOrder(revision("r1"), "c-0-7")) == complete()


def test_an_order_after_completion_loses_and_so_does_a_second_order(slots):
    one(slots, arrival(0, 1, batches=1))
    assert one(slots, AnswerOrder(revision("r1"), "c-0-7")) == ANSWERED
    one(slots, AnswerOrder(revision("r2"), "c-0-8"))
    assert one(slots, AnswerOrder(revision("r2"), "c-0-9")) == ANSWERED


def test_an_order_that_is_read_again_wins_again_until_finish(slots):
    one(slots, AnswerOrder(revision("r1"), "c-0-7"))
    assert one(slots, AnswerOrder(revision("r1"), "c-0-7")) == complete()
    slots.finish({revision("r1"): Completion("c-0-7")})
    assert one(slots, AnswerOrder(revision("r1"), "c-0-7")) == ANSWERED


def test_two_splits_of_one_request_are_never_mixed(slots):
    found = slots.decide(
        [arrival(0, 1, 2, "v1/2"), arrival(1, 2, 2, "v2/2"), arrival(0, 3, 2, "v2/2"), arrival(1, 4, 2, "v1/2")]
    )
    assert found == [WAITING, WAITING, complete("v2/2 0 at 3", "v2/2 1 at 2"), ANSWERED]


def test_requests_do_not_touch_each_other(slots):
    one(slots, arrival(0, 1, batches=1, request_id="a"))
    assert one(slots, arrival(0, 2, batches=1, request_id="b")).verdict is Verdict.COMPLETE


def test_requests_of_two_tenants_under_one_id_do_not_touch_each_other(slots):
    one(slots, arrival(0, 1, 2, "v1/2", tenant="acme"))
    assert one(slots, arrival(1, 2, 2, "v1/2", tenant="globex")) == WAITING
    slots.finish({revision("r1", tenant="globex"): Completion("t-0-2")})
    assert slots.answered([revision("r1", tenant=tenant) for tenant in ("acme", "globex")]) == [False, True]
    assert one(slots, arrival(1, 3, 2, "v1/2", tenant="acme")) == complete("v1/2 0 at 1", "v1/2 1 at 3")
    slots.reopen([revision("r1", tenant="globex")])
    assert one(slots, arrival(0, 4, 2, "v1/2", tenant="globex")) == WAITING


def test_an_order_ends_the_request_of_its_own_tenant_only(slots):
    slots.decide([arrival(0, 1, 2, "v1/2", tenant="acme"), AnswerOrder(revision("r1", tenant="globex"), "c-0-1")])
    assert one(slots, arrival(1, 2, 2, "v1/2", tenant="acme")) == complete("v1/2 0 at 1", "v1/2 1 at 2")


def test_two_payloads_under_one_key_that_are_cut_into_equally_many_batches_are_never_mixed(slots):
    first, other = (split_of(Job(pipeline_version="v1", batches=2, fingerprint=name * 32)) for name in "ab")
    found = slots.decide(
        [arrival(0, 1, 2, first), arrival(1, 2, 2, other), arrival(0, 3, 2, other), arrival(1, 4, 2, first)]
    )
    assert found == [WAITING, WAITING, complete(f"{other} 0 at 3", f"{other} 1 at 2"), ANSWERED]


def test_both_implementations_decide_alike_over_thousands_of_entries(real):
    memory, chance = InMemorySlots(), random.Random(7)
    offsets: dict[int, Arrival | AnswerOrder] = {}
    for turn in range(1500):
        offset = chance.randrange(max(turn, 1))
        fresh = offset not in offsets or chance.random() < 0.7
        entry = _some_entry(chance, turn) if fresh else offsets[offset]
        offsets[turn] = entry
        decision = one(memory, entry)
        assert one(real, entry) == decision
        if decision.verdict is Verdict.COMPLETE and chance.random() < 0.5:
            memory.finish({entry.request: Completion(entry.coordinates)})
            real.finish({entry.request: Completion(entry.coordinates)})


def _some_entry(chance: random.Random, turn: int) -> Arrival | AnswerOrder:
    request = chance.randrange(200)
    if chance.random() < 0.05:
        return AnswerOrder(revision(f"r{request}"), f"c-0-{turn}")
    batches = 1 + request % 4
    return arrival(chance.randrange(batches), turn, batches, f"v1/{batches}", f"r{request}")


def test_a_marker_outlives_its_slots_and_everything_expires(real, valkey):
    real.decide([arrival(0, 1), arrival(1, 2)])
    assert 0 < valkey.ttl("asm:{default/r1}") <= RETENTION.slots_seconds
    one(real, arrival(2, 3))
    assert valkey.ttl("asm:{default/r1}") <= RETENTION.slots_seconds < valkey.ttl("done:{default/r1}")
    real.finish({revision("r1"): Completion("t-0-3")})
    assert valkey.keys() == [b"done:{default/r1}"]
    assert RETENTION.slots_seconds < valkey.ttl("done:{default/r1}") <= RETENTION.done_seconds


def test_a_completer_whose_slots_are_lost_opens_the_request_again(real, valkey):
    real.decide([arrival(0, 1), arrival(1, 2), arrival(2, 3)])
    valkey.delete("asm:{default/r1}")
    assert one(real, arrival(2, 3)) == WAITING
    assert real.decide([arrival(0, 11), arrival(1, 12)])[1].verdict is Verdict.COMPLETE


def test_scripts_that_redis_has_forgotten_are_loaded_again(real, valkey):
    valkey.script_flush()
    found = real.decide([arrival(0, 1, batches=1), AnswerOrder(revision("r2"), "c-0-1")])
    assert [decision.verdict for decision in found] == [Verdict.COMPLETE] * 2


def test_a_lost_redis_is_a_transient_error():
    away = RedisSlots(redis.Redis(port=1, socket_connect_timeout=0.1, retry=NEVER), RETENTION)
    with pytest.raises(TransientError, match="Redis"):
        away.decide([arrival(0, 1)])
    with pytest.raises(TransientError, match="Redis"):
        away.finish({revision("r1"): Completion("t-0-1")})


def test_an_error_inside_a_script_is_a_transient_error(real, valkey):
    valkey.set("asm:{default/r1}", "not a hash")
    with pytest.raises(TransientError, match="WRONGTYPE"):
        real.decide([arrival(0, 1)])

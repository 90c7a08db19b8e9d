"""Erasures among batches, cancellations, corrections, kills and losses: at the end no text, and one bill each."""

import dataclasses
from collections import Counter

import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import JobControl
from schemas.ids import event_id
from schemas.messages import TranslatedBatch
from schemas.states import ControlAction
from tests.property.state_loss_world import SIZES, World, batches, step_until, world_of

TEXT = "confidential"
NAMES = sorted(SIZES)


def texts(name: str, revision: int = 1) -> list[TranslatedBatch]:
    return [dataclasses.replace(batch, translations=(f"{TEXT} {name}",)) for batch in batches(name, revision)]


def order(name: str, action: ControlAction) -> JobControl:
    return JobControl(request_id=name, action=action)


def erase(name: str) -> JobControl:
    return order(name, ControlAction.ERASE)


STEPS = st.sampled_from(["step 0", "step 1"])
RARE = st.sampled_from(["kill 0", "kill 1", "flush", "save", "crash"])
ACTIONS = st.lists(st.tuples(st.one_of(STEPS, STEPS, STEPS, RARE), st.integers(1, 8)), max_size=30)


@given(
    first=st.permutations([batch for name in NAMES for batch in [*texts(name), *texts(name)]]),
    cancelled=st.sets(st.sampled_from(NAMES)),
    corrected=st.sets(st.sampled_from(NAMES)),
    erased=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
    before=ACTIONS,
    after=ACTIONS,
)
@settings(max_examples=12, deadline=None)
def test_at_the_end_no_text_is_left_and_every_request_has_one_bill(  # noqa: PLR0917  # one parameter per part of the history
    valkey, first, cancelled, corrected, erased, before, after
):
    world = world_of(valkey, *first, *[order(name, ControlAction.CANCEL) for name in sorted(cancelled)])
    act(world, before)
    world.kafka.send(*[batch for name in sorted(corrected) for batch in texts(name, 2)], *map(erase, erased))
    act(world, after)
    world.drain()
    for _ in range(2):
        world.kafka.send(*[batch for name in NAMES for batch in [*texts(name), *texts(name, 2)]])
        world.drain()
    for name in NAMES:
        newest = world.kafka.newest(name)
        assert (newest.erased_at is not None) == (name in erased)
        if name in erased:
            assert newest.text is None
            assert f"{TEXT} {name}".encode() not in everything(valkey)
    bills = Counter(bill.event_id for bill in world.kafka.bills())
    assert set(bills.values()) == {1}
    answered = {(one.request_id, one.version) for one in world.kafka.published()}
    assert set(bills) == {event_id("billed", f"default/{name}", version) for name, version in answered}


def act(world: World, actions: list[tuple[str, int]]) -> None:
    for action, times in actions:
        for _ in range(times if action.startswith("step") else 1):
            world.act(action)


def everything(valkey: redis.Redis) -> bytes:
    return b" ".join(valkey.dump(name) or b"" for name in valkey.scan_iter())


def test_an_erasure_waits_for_an_answer_that_was_confirmed_before_it(valkey):
    world = world_of(valkey, *texts("r1"))
    step_until(world, 0, lambda: world.kafka.results != [])
    world.act("step 0")  # confirmed, not committed
    world.kafka.send(erase("r1"))
    for _ in range(5):
        world.act("step 1")
    assert len(world.kafka.results) == 1
    world.act("step 0")  # committed
    world.drain()
    newest = world.kafka.newest("r1")
    assert (newest.status, newest.text, newest.source_words) == ("COMPLETED", None, 5)
    assert [bill.source_words for bill in world.kafka.bills()] == [5]
    assert TEXT.encode() not in everything(valkey)


def test_an_answer_that_is_confirmed_after_the_erasure_is_undone(valkey):
    world = world_of(valkey, *texts("r1"))
    step_until(world, 0, lambda: world.assemblers[0].recovery.epoch.is_known)
    step_until(world, 1, lambda: world.assemblers[1].recovery.epoch.is_known)
    world.act("step 0")  # decided
    world.kafka.send(erase("r1"))
    step_until(world, 1, lambda: world.kafka.answers() == {"r1": 1})
    world.drain()
    newest = world.kafka.newest("r1")
    assert (newest.status, newest.erased_at is not None) == ("CANCELLED", True)
    assert world.kafka.answers() == {"r1": 1}
    assert [bill.source_words for bill in world.kafka.bills()] == [0]

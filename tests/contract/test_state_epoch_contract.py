"""The identity of the state on a real Valkey: what is noticed, what is settled, who holds the lease."""

from dataclasses import replace

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.redis.dump import dump, restore
from connectors.redis.presence import Lease
from connectors.redis.slots import RedisSlots, SlotRetention
from connectors.redis.state_epoch import StateEpoch, StateLostError, forget_epoch
from schemas.errors import TransientError
from schemas.slots import AnswerOrder
from tests.keys import revision
from tests.valkey import running_valkey

NEVER = Retry(NoBackoff(), 0)
OTHER_RUN = b"f" * 40


@pytest.fixture(scope="module")
def server():
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def valkey(server):
    server.flushall()
    return server


@pytest.fixture
def epoch(valkey) -> StateEpoch:
    return StateEpoch(valkey, lambda: 1_000)


def settled(epoch: StateEpoch) -> StateEpoch:
    assert epoch.settle(epoch.begin(epoch.look()))
    epoch.adopt(epoch.look())
    return epoch


def test_an_empty_state_is_not_sound_until_somebody_has_settled_it(epoch):
    assert not epoch.look().is_sound
    assert settled(epoch).look().is_sound
    epoch.confirm()


def test_a_flush_is_noticed_with_the_next_decision(valkey, epoch):
    slots = RedisSlots(valkey, SlotRetention(100, 200), settled(epoch))
    slots.decide([AnswerOrder(revision("r1"), "c-0-1")])
    valkey.flushall()
    with pytest.raises(StateLostError):
        slots.decide([AnswerOrder(revision("r1"), "c-0-1")])
    assert not epoch.is_known


def test_an_answer_is_not_confirmed_on_a_state_that_was_lost_and_rebuilt_meanwhile(valkey, epoch):
    slots = RedisSlots(valkey, SlotRetention(100, 200), settled(epoch))
    slots.decide([AnswerOrder(revision("r1"), "c-0-1")])
    valkey.flushall()
    settled(StateEpoch(valkey, lambda: 2_000))
    with pytest.raises(StateLostError):
        slots.confirm()


def test_a_server_that_was_restarted_is_not_sound_and_keeps_its_clock(valkey, epoch):
    settled(epoch).confirm()
    valkey.set("{state}:epoch", valkey.get("{state}:epoch").rpartition(b":")[0] + b":" + OTHER_RUN)
    found = StateEpoch(valkey, lambda: 9_000).look()
    assert (found.is_sound, found.clock_ms) == (False, 1_000)
    assert StateEpoch(valkey, lambda: 9_000).look().clock_ms == 1_000
    with pytest.raises(StateLostError):
        epoch.confirm()


def test_of_two_who_rebuild_at_once_one_settles_and_the_other_finds_it_sound(valkey, epoch):
    other = StateEpoch(valkey, lambda: 2_000)
    mine, theirs = epoch.begin(epoch.look()), other.begin(other.look())
    assert other.settle(theirs)
    assert not epoch.settle(mine)
    assert epoch.look().is_sound


def test_a_rebuild_during_which_the_state_was_lost_again_cannot_be_settled(valkey, epoch):
    rebuild = epoch.begin(epoch.look())
    valkey.flushall()
    assert not epoch.settle(rebuild)
    assert not epoch.look().is_sound


def test_a_rebuild_goes_on_where_the_one_before_had_come_to_until_one_is_settled(epoch):
    first = epoch.begin(epoch.look())
    epoch.reach(first, {0: 10, 1: 5})
    second = epoch.begin(epoch.look())
    assert second.reached == {0: 10, 1: 5}
    epoch.reach(second, {0: 12})
    epoch.reach(first, {0: 11, 1: 6})
    assert epoch.begin(epoch.look()).reached == {0: 12, 1: 6}
    assert epoch.settle(second)
    assert epoch.begin(epoch.look()).reached == {}


def test_how_far_a_rebuild_has_come_is_not_noted_on_another_state(valkey, epoch):
    rebuild = epoch.begin(epoch.look())
    epoch.reach(replace(rebuild, found=replace(rebuild.found, run_id=OTHER_RUN.decode())), {0: 10})
    assert epoch.begin(epoch.look()).reached == {}
    valkey.flushall()
    epoch.reach(rebuild, {0: 10})
    assert epoch.begin(epoch.look()).reached == {}


def test_what_is_to_be_rebuilt_after_a_restore_is_rebuilt_whole(valkey, epoch):
    epoch.reach(epoch.begin(epoch.look()), {0: 10})
    forget_epoch(valkey)
    assert epoch.begin(epoch.look()).reached == {}


def test_a_rebuild_that_a_restart_interrupts_is_not_sound(valkey, epoch):
    rebuild = epoch.begin(epoch.look())
    before = rebuild.found.run_id
    assert epoch.settle(rebuild)
    valkey.set("{state}:epoch", valkey.get("{state}:epoch").replace(before.encode(), OTHER_RUN))
    assert not epoch.look().is_sound


def test_what_is_repaired_is_forgotten_with_the_state(valkey, epoch):
    epoch.set_repaired("a")
    assert epoch.repaired() == "a"
    valkey.flushall()
    assert epoch.repaired() == ""


def test_a_backup_has_no_epoch_and_a_state_that_was_restored_is_rebuilt(valkey, epoch):
    settled(epoch)
    valkey.set("done:{default/r1}", "t-0-1")
    entries = list(dump(valkey))
    assert [entry.key for entry in entries] == [b"done:{default/r1}"]
    assert sum(portion.written for portion in restore(valkey, entries, replace=True)) == 1
    with pytest.raises(StateLostError):
        epoch.confirm()


def test_one_of_two_holds_a_lease_until_it_is_released_or_runs_out(valkey):
    first, second = (Lease(valkey, "repair", name, seconds=15) for name in ("first", "second"))
    assert [first.hold(), second.hold(), first.hold()] == [True, False, True]
    second.release()
    assert not second.hold()
    first.release()
    assert second.hold()
    assert 14_000 < valkey.pttl("lease:repair") <= 15_000


def test_without_redis_nobody_holds_a_lease():
    away = Lease(redis.Redis(port=1, socket_connect_timeout=0.1, retry=NEVER), "repair", "a", 1)
    with pytest.raises(TransientError):
        away.hold()

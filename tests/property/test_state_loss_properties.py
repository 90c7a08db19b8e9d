"""Two assemblers, a state that is lost or thrown back at any moment, kills at any moment: one answer each."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import JobControl
from schemas.states import ControlAction
from tests.property.state_loss_world import SIZES, batches, half_rebuilt, step_until, world_of

STEPS = st.sampled_from(["step 0", "step 1"])
RARE = st.sampled_from(["kill 0", "kill 1", "flush", "flush", "save", "crash"])


@given(
    first=st.permutations([batch for name in SIZES for batch in [*batches(name), *batches(name)]]),
    cancelled=st.lists(st.sampled_from(sorted(SIZES)), max_size=3),
    actions=st.lists(st.tuples(st.one_of(STEPS, STEPS, RARE), st.integers(1, 8)), max_size=30),
)
@settings(max_examples=250, deadline=None)
def test_whenever_the_state_is_lost_every_request_is_answered_once(valkey, first, cancelled, actions):
    world = world_of(
        valkey, *first, *[JobControl(request_id=name, action=ControlAction.CANCEL) for name in cancelled]
    )
    for action, times in actions:
        for _ in range(times if action.startswith("step") else 1):
            world.act(action)
    world.drain()
    # What lost its slots is sent again, whole; what is answered is sent again too, for good measure.
    for _ in range(2):
        world.kafka.send(*[batch for name in SIZES for batch in batches(name)])
        world.drain()
    assert world.kafka.answers() == dict.fromkeys(SIZES, 1)
    assert world.untold() == []


def test_an_answer_whose_assembler_was_killed_before_it_told_is_told_by_the_next_one(valkey):
    world = world_of(valkey, *batches("r1"), *batches("r2"))
    step_until(world, 0, lambda: world.kafka.answers() == {"r1": 1})
    world.act("kill 0")
    assert world.untold() == ["r1"]
    world.drain()
    assert (world.kafka.answers(), world.untold()) == ({"r1": 1, "r2": 1}, [])


def test_an_answer_decided_before_a_loss_is_not_committed_after_the_rebuild(valkey):
    world = world_of(valkey, *batches("r1"))
    first, second = world.assemblers
    step_until(world, 1, lambda: second.recovery.epoch.is_known)
    step_until(world, 0, lambda: first.recovery.epoch.is_known)
    world.act("step 0")  # decided, and then it stands still
    world.act("flush")
    step_until(world, 1, lambda: not second.recovery.epoch.is_known)
    step_until(world, 1, lambda: second.recovery.epoch.is_known)
    step_until(world, 0, lambda: world.kafka.results != [])
    world.act("step 0")
    world.act("step 0")
    world.act("kill 0")
    world.drain()
    world.kafka.send(*batches("r1"))
    world.drain()
    assert world.kafka.answers() == {"r1": 1}


def test_an_answer_that_was_in_the_log_before_the_loss_is_waited_for(valkey):
    world = world_of(valkey, *batches("r1"))
    second = world.assemblers[1]
    step_until(world, 1, lambda: second.recovery.epoch.is_known)
    step_until(world, 0, lambda: world.kafka.results != [])
    world.act("step 0")  # confirmed, not committed
    world.act("flush")
    for _ in range(10):
        world.act("step 1")
    assert not second.recovery.epoch.is_known
    world.act("step 0")  # committed
    world.act("kill 0")
    assert world.kafka.answers() == {"r1": 1}
    world.drain()
    world.kafka.send(*batches("r1"))
    world.drain()
    assert world.kafka.answers() == {"r1": 1}


def test_a_state_that_is_lost_again_while_it_is_rebuilt_is_not_taken_for_whole(valkey):
    world = half_rebuilt(valkey)
    assert valkey.get("done:{default/r1}") is not None
    world.act("flush")
    world.act("kill 0")
    step_until(world, 1, lambda: world.assemblers[1].recovery.epoch.is_known)
    world.drain()
    world.kafka.send(*batches("r1"), *batches("r2"))
    world.drain()
    assert world.kafka.answers() == {"r1": 1, "r2": 1}


def test_a_rebuild_whose_assembler_was_killed_goes_on_where_it_had_come_to(valkey):
    world = half_rebuilt(valkey)
    world.act("kill 1")
    opened = []
    open_log = world.assemblers[1].recovery.open_log

    def noting(since_ms, reached):
        opened.append((since_ms, reached))
        return open_log(since_ms, reached)

    world.assemblers[1].recovery.open_log = noting
    world.act("step 1")
    world.act("kill 0")
    world.drain()
    assert [reached for _, reached in opened] == [{0: 1}]
    assert valkey.get("{state}:reached") is None
    world.kafka.send(*batches("r1"), *batches("r2"))
    world.drain()
    assert world.kafka.answers() == {"r1": 1, "r2": 1}


def test_after_a_crash_all_that_was_answered_since_the_last_surviving_write_is_known_again(valkey):
    world = world_of(valkey, *batches("r1"), *batches("r2"))
    step_until(world, 0, lambda: world.assemblers[0].recovery.epoch.is_known)
    world.act("save")
    world.drain()
    world.kafka.now += 10_000  # nobody looks for a long while
    world.act("crash")
    world.kafka.send(*batches("r1"), *batches("r2"))
    world.drain()
    assert world.kafka.answers() == {"r1": 1, "r2": 1}


def test_a_late_duplicate_that_came_between_the_loss_and_the_rebuild_has_no_say(valkey):
    world = world_of(valkey, *batches("r1"))
    world.drain()
    world.act("flush")
    world.kafka.send(*batches("r1"))
    for _ in range(3):
        world.act("step 0")
    world.drain()
    assert world.kafka.answers() == {"r1": 1}

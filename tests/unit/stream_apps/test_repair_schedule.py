"""When requests and results are compared, and when a loss counts as repaired."""

from dataclasses import dataclass, field

import pytest

from connectors.redis.state_epoch import StateIdentity
from stream_apps.repair.reconcile import ReconcileReport
from stream_apps.repair.schedule import ComparisonIntervals, Schedule

SOUND, OTHER, GONE = (StateIdentity(epoch, "run", None) for epoch in ("a:run", "b:run", ""))
INTERVALS = ComparisonIntervals(
    every_seconds=60, every_seconds_after_loss=5, window_ms=1_000, window_after_loss_ms=50_000
)


@dataclass
class World:
    """The state, the clock and the comparisons; `oldest_ms` is what each of them finds."""

    identity: StateIdentity = SOUND
    known: str = SOUND.epoch
    now: int = 100_000
    oldest_ms: int | None = None
    since: list[int] = field(default_factory=list)
    follows: list[bool] = field(default_factory=list)
    takes_ms: int = 0
    asked_for_repaired: int = 0

    def look(self) -> StateIdentity:
        return self.identity

    def repaired(self) -> str:
        self.asked_for_repaired += 1
        return self.known

    def set_repaired(self, epoch: str) -> None:
        self.known = epoch

    def follow(self, since_ms: int, on_progress: object) -> ReconcileReport:
        self.follows.append(True)
        return self._compare(since_ms)

    def reconcile(self, since_ms: int, on_progress: object) -> ReconcileReport:
        self.follows.append(False)
        return self._compare(since_ms)

    def _compare(self, since_ms: int) -> ReconcileReport:
        self.since.append(since_ms)
        self.now += self.takes_ms
        return ReconcileReport(oldest_open_ms=self.oldest_ms)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def schedule(world) -> Schedule:
    return Schedule(world, world.follow, world.reconcile, INTERVALS, lambda: world.now, lambda *_: None)


def test_while_all_is_well_a_comparison_looks_back_a_little_once_a_minute(world, schedule):
    assert schedule.turn() is not None
    world.now += 59_999
    assert schedule.turn() is None
    world.now += 1
    assert schedule.turn() is not None
    assert world.since == [99_000, 159_000]
    assert world.follows == [True, True]


def test_whether_an_epoch_is_repaired_is_asked_until_it_is_and_no_more(world, schedule):
    world.known = ""
    world.oldest_ms = world.now
    for _ in range(3):
        schedule.turn()
    assert world.asked_for_repaired == 3
    world.known = SOUND.epoch
    for _ in range(3):
        schedule.turn()
    assert world.asked_for_repaired == 4


def test_a_loss_is_compared_at_once_and_far_back(world, schedule):
    schedule.turn()
    world.identity = GONE
    assert schedule.turn() is not None
    assert world.since[-1] == 50_000
    assert world.follows == [True, False]


def test_until_all_that_was_stored_before_is_answered_it_goes_on_from_the_oldest(world, schedule):
    world.identity, world.oldest_ms = OTHER, 99_000
    schedule.turn()
    world.now += 5_000
    schedule.turn()
    assert world.since == [50_000, 99_000]
    assert world.known == SOUND.epoch
    world.now, world.oldest_ms = world.now + 5_000, 100_001
    schedule.turn()
    assert world.known == OTHER.epoch


def test_a_loss_is_not_over_before_the_state_is_whole(world, schedule):
    world.identity = GONE
    schedule.turn()
    assert world.known == SOUND.epoch


def test_a_second_loss_in_the_middle_of_the_first_starts_the_wait_anew(world, schedule):
    world.identity, world.oldest_ms = OTHER, 99_000
    schedule.turn()
    world.now, world.identity, world.oldest_ms = 101_000, SOUND, 100_500
    world.known = ""
    schedule.turn()
    assert world.known == ""
    world.now, world.oldest_ms = 107_000, None
    schedule.turn()
    assert world.known == SOUND.epoch


def test_a_restart_forgets_no_loss_and_imagines_none(world):
    fresh = Schedule(world, world.follow, world.reconcile, INTERVALS, lambda: world.now, lambda *_: None)
    fresh.turn()
    assert world.since == [99_000]
    world.known = "an epoch of before"
    Schedule(world, world.follow, world.reconcile, INTERVALS, lambda: world.now, lambda *_: None).turn()
    assert world.since[-1] == 50_000


def test_a_comparison_that_takes_long_is_followed_by_a_longer_rest(world, schedule):
    world.takes_ms = 30_000
    schedule.turn()
    world.now += 119_999
    assert schedule.turn() is None
    world.now += 1
    assert schedule.turn() is not None

"""Of several instances one acts, and without Redis none does. No thread ends unseen."""

import threading
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.telemetry.health import Health
from schemas.errors import FatalError, PermanentError, TransientError
from stream_apps.repair.main import ActiveInstance, Comparisons, Watch, run_turns


@dataclass
class Parts:
    """The lease, the sweeper and the comparisons at once."""

    is_held: bool = True
    is_away: bool = False
    sweeps: int = 0
    releases: int = 0
    health: Health = field(default_factory=Health)
    is_active: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> bool:
        self._check()
        return self.is_held

    def release(self) -> None:
        self._check()
        self.releases += 1

    def sweep(self) -> int:
        self.sweeps += 1
        return 0

    def _check(self) -> None:
        if self.is_away:
            raise TransientError("Redis is away")


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def instance(parts) -> ActiveInstance:
    return ActiveInstance(parts, parts, parts)


def test_the_holder_of_the_lease_sweeps_and_compares(parts, instance):
    instance.turn()
    assert (parts.sweeps, parts.is_active.is_set(), parts.health.reason) == (1, True, "")


def test_the_others_stand_by_and_are_ready(parts, instance):
    parts.is_held = False
    instance.turn()
    assert (parts.sweeps, parts.is_active.is_set(), parts.health.reason) == (0, False, "")


def test_without_redis_nobody_acts_and_the_probe_says_why(parts, instance):
    instance.turn()
    parts.is_away = True
    instance.turn()
    assert (parts.sweeps, parts.is_active.is_set(), parts.health.reason) == (1, False, "Redis is away")


def test_at_the_end_the_lease_is_given_back_where_that_is_possible(parts, instance):
    instance.end()
    parts.is_away = True
    instance.end()
    assert parts.releases == 1


MISSING_BUCKET = PermanentError("no_such_bucket", "the bucket is missing")


class Turns:
    """Something to do that ends as it is told each time; it is also the shutdown, wanted when all is done."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.left = deque(outcomes)
        self.pauses: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return not self.left

    def turn(self) -> None:
        if outcome := self.left.popleft():
            raise outcome


def turns_of(*outcomes: Exception | None) -> Any:
    return Turns(*outcomes)


@pytest.fixture
def is_active() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@pytest.mark.parametrize("error", [TransientError("Redis is away"), MISSING_BUCKET])
def test_what_is_done_at_an_interval_is_tried_again_after_an_error_that_may_be_mended(is_active, error):
    turns = turns_of(error, None)
    watch = Watch(is_active, turns)
    watch.start("old_texts", turns.turn, 5.0).join()
    assert (watch.failure, list(turns.left)) == (None, [])


@pytest.mark.parametrize("error", [TransientError("Kafka is away"), MISSING_BUCKET])
def test_a_comparison_is_tried_again_after_an_error_that_may_be_mended(is_active, error):
    turns = turns_of(error, None)
    comparisons = Comparisons(turns, turns, Health(), is_active)
    comparisons.start().join()
    assert (comparisons.failure, list(turns.left)) == (None, [])


@pytest.mark.parametrize("error", [FatalError("fenced"), ValueError("a defect")])
def test_any_other_error_of_a_thread_is_kept_for_the_main_one(is_active, error):
    turns, others = turns_of(error, None), turns_of(error, None)
    watch, comparisons = Watch(is_active, turns), Comparisons(others, others, Health(), is_active)
    watch.start("old_texts", turns.turn, 5.0).join()
    comparisons.start().join()
    assert watch.failure is comparisons.failure is error


@pytest.mark.parametrize("error", [FatalError("fenced"), ValueError("a defect")])
def test_a_thread_that_ended_ends_the_process_and_another_instance_takes_over_at_once(parts, instance, error):
    shutdown: Any = SimpleNamespace(wait=lambda _seconds: False)
    with pytest.raises(FatalError, match=str(error)):
        run_turns(instance, [SimpleNamespace(failure=None), SimpleNamespace(failure=error)], shutdown, 0.1)
    assert parts.releases == 1

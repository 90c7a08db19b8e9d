"""The demand-bound rule, worked by hand. A replica does 100 words a second, a start takes 30 s."""

from collections.abc import Mapping
from typing import Any

import pytest

from deploy.autoscaler.decision import (
    PastNeed,
    Policy,
    ScalingDecision,
    ScalingReason,
    Snapshot,
    WaitingWork,
    replicas_wanted,
)
from schemas.priorities import Priority

POLICY = Policy(min_replicas=1, max_replicas=20)
QUIET_WINDOW = (PastNeed(300.0, 1), PastNeed(5.0, 1))


Waiting = Mapping[Priority, WaitingWork]


def snapshot(waiting: Waiting | None = None, ready: int = 1, **others: Any) -> Snapshot:
    usual: dict[str, Any] = {"replica_words_per_second": 100.0, "startup_seconds": 30.0, "past": QUIET_WINDOW}
    return Snapshot(waiting or {}, ready=ready, **(usual | others))


def decided(waiting: Waiting | None = None, policy: Policy = POLICY, **others: Any) -> ScalingDecision:
    return replicas_wanted(snapshot(waiting, **others), policy)


def test_deadlines_leave_time_for_the_other_stages() -> None:
    assert [POLICY.deadline_seconds(priority) for priority in Priority] == [19.0, 91.0, 475.0]


def test_nothing_to_do_needs_the_minimum() -> None:
    assert decided() == ScalingDecision(1, 1, ScalingReason.STEADY)


def test_what_one_replica_finds_time_for_needs_no_second() -> None:
    # 100 words/s * 91 s
    assert decided({Priority.HIGH: WaitingWork(9_100)}).replicas == 1


def test_missing_replicas_have_the_horizon_less_their_start() -> None:
    # Due in 475 s: 109,100 words; one replica does 47,500; 61,600 are left for replicas that work 445 s:
    # 61,600 / 44,500 -> 2 more.
    assert decided({Priority.STANDARD: WaitingWork(109_100)}) == ScalingDecision(3, 3, ScalingReason.DEADLINE)


def test_pending_replicas_count_from_when_they_will_be_ready() -> None:
    waiting = {Priority.STANDARD: WaitingWork(109_100)}

    # 47,500 + 2 * 100 * 445 = 136,500
    assert decided(waiting, pending_seconds=(30.0, 30.0)) == ScalingDecision(3, 3, ScalingReason.STEADY)
    # 47,500 + 2 * 100 * 275 = 102,500: 6,600 are missing
    assert decided(waiting, pending_seconds=(200.0, 200.0)) == ScalingDecision(4, 4, ScalingReason.DEADLINE)


def test_waiting_time_is_used_up() -> None:
    # After 400 s there are 75 s left: 7,500 of 10,000 words; 2,500 / (100 * 45) -> 1 more.
    assert decided({Priority.STANDARD: WaitingWork(10_000, 0.0, 400.0)}).replicas == 2


def test_more_urgent_work_takes_time_from_the_less_urgent() -> None:
    # Each alone is just possible for one replica; within 91 s both fall due.
    waiting = {Priority.CRITICAL: WaitingWork(1_900), Priority.HIGH: WaitingWork(9_100)}

    assert decided(waiting).replicas == 2


def test_a_deadline_that_no_start_can_meet_is_named_and_worked_down() -> None:
    # Due in 19 s, a start takes 30: 3,800 words, 1,900 missing, 1,900 / (100 * 19) -> 1 more.
    assert decided({Priority.CRITICAL: WaitingWork(3_800)}) == ScalingDecision(
        2, 2, ScalingReason.DEADLINE, (Priority.CRITICAL,)
    )


def test_arrivals_fill_replicas_to_the_chosen_utilisation() -> None:
    # 600 words/s / (100 * 0.75)
    assert decided({Priority.STANDARD: WaitingWork(0, 600.0)}) == ScalingDecision(8, 8, ScalingReason.ARRIVALS)


def test_the_tail_of_an_average_needs_no_replica() -> None:
    nobody = Policy(min_replicas=0, max_replicas=20)

    assert decided({Priority.STANDARD: WaitingWork(0, 0.5)}, ready=0, policy=nobody).replicas == 0
    assert decided({Priority.STANDARD: WaitingWork(1, 0.0)}, ready=0, policy=nobody).replicas == 1


def test_the_bounds_win() -> None:
    assert decided({Priority.STANDARD: WaitingWork(10_000_000)}) == ScalingDecision(20, 20, ScalingReason.BOUNDS)
    assert decided(ready=25, past=()) == ScalingDecision(20, 1, ScalingReason.BOUNDS)


def test_fewer_only_when_a_whole_window_needed_fewer() -> None:
    busy_lately = (PastNeed(300.0, 6), PastNeed(100.0, 4), PastNeed(5.0, 1))

    assert decided(ready=6, past=busy_lately[1:]) == ScalingDecision(6, 1, ScalingReason.WINDOW)
    assert decided(ready=6, past=(PastNeed(301.0, 6), *busy_lately[1:])) == ScalingDecision(
        4, 1, ScalingReason.WINDOW
    )
    assert decided(ready=6) == ScalingDecision(1, 1, ScalingReason.SCALE_IN)


def test_an_autoscaler_that_just_began_sends_nobody_away() -> None:
    assert decided(ready=6, past=()) == ScalingDecision(6, 1, ScalingReason.WINDOW)


def test_scale_ins_have_a_pause_between_them() -> None:
    assert decided(ready=6, steady_seconds=59.0).replicas == 6
    assert decided(ready=6, steady_seconds=60.0).replicas == 1


def test_the_fewer_that_stay_have_a_margin() -> None:
    # 0.8 * 100 * 475 = 38,000 words for one
    assert decided({Priority.STANDARD: WaitingWork(38_000)}, ready=2).replicas == 1
    assert decided({Priority.STANDARD: WaitingWork(38_001)}, ready=2).replicas == 2


def test_nobody_is_sent_away_while_something_is_late() -> None:
    late = {Priority.CRITICAL: WaitingWork(1, 0.0, 19.0)}

    assert decided(late, ready=6) == ScalingDecision(6, 6, ScalingReason.STEADY)


def test_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="replicas: 0 <= 3 <= 2 is not true"):
        Policy(3, 2)

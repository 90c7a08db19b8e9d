"""Faults are drawn by the seed alone, and leave each other time to recover."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos import faults
from tests.chaos.faults import Action, FaultKind, kinds_for
from tests.chaos.main import main
from tests.chaos.scenario import DEFAULT_PACE_SECONDS
from tests.chaos.schedule import schedule

ROLES = frozenset({"worker", "intake", "assembly", "analytics", "http", "kafka", "redis-cache", "redis-state"})
SEEDS = st.integers(0, 1000)
PACES = st.floats(0.5, 20.0)
KINDS = st.sets(st.sampled_from(sorted(ROLES)), min_size=1).map(
    lambda roles: kinds_for(roles, has_small_disks=True)
)


@given(SEEDS, st.integers(0, 150), PACES, KINDS)
def test_the_same_seed_gives_the_same_schedule(seed: int, kills: int, pace: float, kinds: tuple[FaultKind, ...]):
    assert schedule(seed, kills, pace, kinds) == schedule(seed, kills, pace, kinds)


@given(SEEDS, st.integers(0, 150), PACES, KINDS)
def test_there_are_exactly_as_many_kills_as_asked_for_in_the_order_of_time(seed, kills, pace, kinds):
    found = schedule(seed, kills, pace, kinds)

    assert sum(fault.kind.action is Action.KILL for fault in found) == kills
    assert [fault.at_seconds for fault in found] == sorted(fault.at_seconds for fault in found)


@given(SEEDS, st.integers(0, 150), PACES, KINDS)
def test_a_kind_rests_after_its_end_before_it_comes_again(seed, kills, pace, kinds):
    found = schedule(seed, kills, pace, kinds)

    for family in {fault.kind.family for fault in found}:
        for before, after in pairwise(fault for fault in found if fault.kind.family == family):
            end = before.at_seconds + before.lasts_seconds + before.kind.rest_seconds
            assert after.at_seconds >= end


@pytest.mark.parametrize("pace", ["0", "-1", "nan", "inf"])
def test_a_pace_that_is_no_time_is_refused(pace, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--pace", pace])
    assert "--pace" in capsys.readouterr().err


def test_a_slower_pace_stretches_the_same_number_of_faults():
    kinds = kinds_for(ROLES, has_small_disks=True)
    fast, slow = schedule(1, 300, 2.5, kinds), schedule(1, 300, 10.0, kinds)

    assert len(fast) == len(slow)
    assert slow[-1].at_seconds > 3 * fast[-1].at_seconds


def test_another_seed_gives_another_schedule():
    kinds = kinds_for(ROLES, has_small_disks=True)

    assert schedule(1, 60, 2.5, kinds) != schedule(2, 60, 2.5, kinds)


def test_a_thousand_kills_take_three_quarters_of_an_hour_and_meet_every_kind():
    kinds = kinds_for(ROLES, has_small_disks=True)
    found = schedule(1, 1000, DEFAULT_PACE_SECONDS, kinds)

    assert found[-1].at_seconds < 1000 * DEFAULT_PACE_SECONDS + 60
    assert {fault.kind.name for fault in found} == {kind.name for kind in kinds}


def test_a_frozen_process_sleeps_longer_than_its_session():
    frozen = [
        fault for fault in schedule(1, 300, 2.5, faults.KILLS + faults.DISTURBANCES) if "freeze" in fault.kind.name
    ]

    assert min(fault.lasts_seconds for fault in frozen) > faults.SESSION_SECONDS


def test_a_store_is_not_killed_while_its_disk_is_full():
    by_name = {kind.name: kind for kind in faults.KILLS + faults.DISTURBANCES}

    for store in ("redis-state", "kafka"):
        assert by_name[f"kill {store}"].family == by_name[f"fill {store}"].family


def test_new_roles_bring_their_kills_and_missing_disks_leave_theirs_out():
    names = {kind.name for kind in kinds_for({*ROLES, "repair"}, has_small_disks=False)}

    assert "kill repair" in names
    assert "kill autoscaler" not in names
    assert not any(name.startswith("fill") for name in names)

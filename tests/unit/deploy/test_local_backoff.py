"""When a process that ended is started again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.backoff import RestartPolicy, failures_in_a_row, pause_seconds

POLICY = RestartPolicy(first_pause_seconds=0.5, longest_pause_seconds=30.0, jitter=0.2)
MIDDLE = 0.5


def test_the_pause_doubles_with_each_failure_up_to_the_longest() -> None:
    pauses = [pause_seconds(POLICY, failures, MIDDLE) for failures in range(1, 9)]

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_the_pause_stays_within_its_jitter(failures: int, chance: float) -> None:
    middle = pause_seconds(POLICY, failures, MIDDLE)

    assert 0.8 * middle - 1e-9 <= pause_seconds(POLICY, failures, chance) <= 1.2 * middle + 1e-9


@pytest.mark.parametrize(("lived_seconds", "failures"), [(0.0, 4), (29.9, 4), (30.0, 1), (3_600.0, 1)])
def test_a_stable_life_makes_up_for_earlier_failures(lived_seconds: float, failures: int) -> None:
    assert failures_in_a_row(3, lived_seconds, POLICY) == failures

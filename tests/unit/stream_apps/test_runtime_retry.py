"""When something is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from stream_apps.runtime.retry import RetryPolicy

POLICY = RetryPolicy(first_seconds=0.5, longest_seconds=30.0, spread=0.4)


def test_the_pause_doubles_with_each_failure_up_to_the_longest() -> None:
    pauses = [POLICY.pause_seconds(failures, chance=0.0) for failures in range(1, 9)]

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_chance_takes_away_no_more_than_the_spread(failures: int, chance: float) -> None:
    full = POLICY.pause_seconds(failures, chance=0.0)

    assert 0.6 * full - 1e-9 <= POLICY.pause_seconds(failures, chance) <= full


def test_a_failure_may_ask_for_a_longer_first_pause_but_not_for_more_than_the_longest() -> None:
    assert POLICY.pause_seconds(1, 0.0, least_seconds=2.0) == 2
    assert POLICY.pause_seconds(1, 0.0, least_seconds=0.1) == 0.5
    assert POLICY.pause_seconds(1, 0.0, least_seconds=100.0) == 30


def test_a_policy_without_a_first_pause_waits_as_long_as_the_failure_asks() -> None:
    assert RetryPolicy(first_seconds=0.0).pause_seconds(1, 0.0, least_seconds=0.01) == 0.01

"""How fast a worker believes to be."""

import pytest

from inference_workers.priority_credit import Speedometer


def test_what_is_assumed_holds_until_something_is_measured():
    speed = Speedometer(600.0)
    speed.add(0, 1.0)
    speed.add(50, 0.0)
    assert (speed.words_per_second, speed.words_in(0.5)) == (600.0, 300)


@pytest.mark.parametrize("real", [20.0, 60_000.0])
def test_a_second_of_work_counts_more_than_what_was_assumed_and_three_leave_little_of_it(real):
    speed = Speedometer(600.0)
    speed.add(int(real), 1.0)
    assert abs(speed.words_per_second - real) < 0.4 * abs(600.0 - real)
    for _ in range(2):
        speed.add(int(real), 1.0)
    assert speed.words_per_second == pytest.approx(real, abs=0.12 * abs(600.0 - real))


def test_a_moment_of_work_says_little():
    speed = Speedometer(600.0)
    speed.add(1, 0.01)
    assert speed.words_per_second == pytest.approx(600.0, rel=0.02)


def test_one_slow_second_among_many_is_a_small_part_of_the_mean():
    speed = Speedometer(600.0)
    for _ in range(30):
        speed.add(600, 1.0)
    speed.add(100, 1.0)
    assert 480.0 < speed.words_per_second < 520.0


def test_a_change_is_learnt_within_ten_seconds_of_work():
    speed = Speedometer(600.0)
    for _ in range(30):
        speed.add(600, 1.0)
    for _ in range(10):
        speed.add(60, 1.0)
    assert speed.words_per_second == pytest.approx(60.0, abs=80)

"""The wait of a request, and the rate at which queues are worked off, from two readings."""

import math

import pytest

from producers.http.admission.queue_load import (
    BacklogReading,
    QueueCounts,
    QueueLoad,
    ServiceRate,
    next_service_rate,
)
from schemas.lanes import Lane
from schemas.priorities import Priority

SHORT = CRITICAL, HIGH, STANDARD = Lane.CRITICAL, Lane.HIGH, Lane.STANDARD
TEN = ServiceRate(10.0, 10.0)


def reading(at_seconds=0.0, requests=(0, 0, 0), batches=(0, 0, 0), taken=(0, 0)):
    """`taken`: requests and batches, all of them standard."""

    def queues(waiting, taken):
        counts = [QueueCounts(count, own) for count, own in zip(waiting, (0, 0, taken), strict=True)]
        return zip(SHORT, counts, strict=True)

    asked = {lane.priority: queue for lane, queue in queues(requests, taken[0])}
    return BacklogReading(at_seconds, asked, dict(queues(batches, taken[1])))


def rate_after(before, now, rate=TEN):
    return next_service_rate(rate, before, now, smoothing_seconds=10.0)


def test_only_what_is_at_least_as_urgent_stands_before_a_request():
    load = QueueLoad(reading(batches=(1, 20, 300)), ServiceRate(1.0, 1.0))
    assert [load.wait_seconds(one) for one in SHORT] == [1, 21, 321]


def test_a_book_stands_before_long_requests_only():
    batches = {Lane.HIGH: QueueCounts(1), Lane.HIGH_BULK: QueueCounts(500), Lane.STANDARD_BULK: QueueCounts(2000)}
    load = QueueLoad(BacklogReading(0.0, {}, batches), ServiceRate(1.0, 1.0))
    assert [load.wait_seconds(one) for one in Lane] == [0, 1, 501, 501, 2501]


def test_requests_not_yet_split_count_as_the_batches_they_will_become():
    load = QueueLoad(
        reading(requests=(0, 0, 10), batches=(0, 0, 5)), ServiceRate(1000.0, 10.0, batches_per_request=4.0)
    )
    assert load.records_before(STANDARD) == 45
    assert load.wait_seconds(STANDARD) == pytest.approx(4.5)


def test_the_slower_of_intake_and_workers_decides():
    load = QueueLoad(reading(requests=(0, 0, 100)), ServiceRate(2.0, 1000.0))
    assert load.wait_seconds(STANDARD) == 50


def test_what_was_accepted_since_the_reading_waits_too():
    load = QueueLoad(reading(), ServiceRate(1.0, 1.0)).with_request(HIGH.priority).with_request(HIGH.priority)
    assert [load.requests_before(one) for one in Priority] == [0, 2, 2]


def test_a_busy_queue_moves_the_mean_up_and_down():
    weight = 1 - math.exp(-1)
    slower = rate_after(reading(0, batches=(0, 0, 500)), reading(10, batches=(0, 0, 490), taken=(0, 10)))
    faster = rate_after(reading(0, batches=(0, 0, 500)), reading(10, batches=(0, 0, 300), taken=(0, 200)))
    assert slower.batches_per_second == pytest.approx(10 + weight * (1 - 10))
    assert faster.batches_per_second == pytest.approx(10 + weight * (20 - 10))


def test_a_queue_that_ran_dry_never_lowers_the_mean():
    idle = rate_after(reading(0), reading(10, taken=(0, 3)))
    busier = rate_after(reading(0), reading(10, taken=(0, 200)))
    assert (idle.batches_per_second, busier.batches_per_second) == (10, 20)


def test_a_stopped_worker_lets_the_mean_fall_towards_nothing():
    rate, before = TEN, reading(0, batches=(0, 0, 500))
    for turn in range(1, 20):
        now = reading(turn * 5, batches=(0, 0, 500))
        rate, before = rate_after(before, now, rate), now
    assert rate.batches_per_second < 0.01


def test_batches_per_request_follow_what_intake_makes():
    before, now = reading(0), reading(10, batches=(0, 0, 700), taken=(100, 100))
    weight = 1 - math.exp(-1)
    assert rate_after(before, now).batches_per_request == pytest.approx(1 + weight * 7)


def test_a_clock_that_did_not_move_and_counts_that_fell_change_nothing_for_the_worse():
    assert rate_after(reading(5), reading(5, taken=(9, 9))) == TEN
    shrunk = rate_after(reading(0, taken=(50, 50)), reading(10, taken=(0, 0)))
    assert (shrunk.requests_per_second, shrunk.batches_per_second, shrunk.batches_per_request) == (10, 10, 1)

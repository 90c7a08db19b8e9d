"""Refusals go by urgency, and Retry-After is true."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from producers.http.admission.queue_load import (
    BacklogReading,
    QueueCounts,
    QueueLoad,
    ServiceRate,
    overload_of,
    retry_after_seconds,
)
from producers.http.settings import BackpressureLimits
from schemas.lanes import Lane, lanes_up_to
from schemas.priorities import Priority

LIMITS = BackpressureLimits(max_backlog_records=50_000)

counts = st.integers(0, 100_000)
queue = st.builds(QueueCounts, counts, counts)
requests = st.fixed_dictionaries(dict.fromkeys(Priority, queue))
batches = st.fixed_dictionaries(dict.fromkeys(Lane, queue))
rates = st.builds(ServiceRate, st.floats(0, 1e4), st.floats(0, 1e4), st.floats(1, 1e3))
loads = st.builds(QueueLoad, st.builds(BacklogReading, st.just(0.0), requests, batches), rates)
lanes = st.sampled_from(list(Lane))


def shrunk(load, share):
    """The same with less waiting."""

    def fewer(queues):
        return {one: QueueCounts(int(queue.waiting * share), queue.taken) for one, queue in queues.items()}

    reading = load.reading
    return replace(load, reading=BacklogReading(0.0, fewer(reading.requests), fewer(reading.batches)))


def seconds(load, lane):
    refusal = overload_of(load, lane, LIMITS)
    return retry_after_seconds(refusal, LIMITS) if refusal else 0


@given(loads)
def test_critical_is_refused_last_and_comes_back_first(load):
    critical, high, high_bulk, standard, standard_bulk = (seconds(load, one) for one in Lane)
    assert critical <= high <= standard <= standard_bulk
    assert high <= high_bulk


@given(loads, lanes, st.floats(0, 1))
def test_retry_after_falls_as_the_lag_falls(load, lane, share):
    assert seconds(shrunk(load, share), lane) <= seconds(load, lane)


@given(loads, lanes)
def test_one_request_more_never_lifts_a_refusal(load, lane):
    assert seconds(load.with_request(lane.priority), lane) >= seconds(load, lane)


@given(loads, lanes)
def test_after_retry_after_the_measured_rate_has_brought_the_load_under_its_limits(load, lane):
    unclamped = BackpressureLimits(max_backlog_records=50_000, max_retry_after_seconds=10**12)
    refusal = overload_of(load, lane, unclamped)
    if refusal is None:
        return
    pause = retry_after_seconds(refusal, unclamped)
    floor = unclamped.least_records_per_second
    requests_rate = max(load.rate.requests_per_second, floor)
    batches_rate = max(load.rate.batches_per_second, floor)
    for urgent in lanes_up_to(lane):
        if urgent.is_bulk and urgent is not lane:
            continue
        records = max(load.records_before(urgent) - pause * batches_rate, 0)
        requests = max(load.requests_before(urgent.priority) - pause * requests_rate, 0)
        wait = max(records / batches_rate, requests / requests_rate)
        assert wait <= unclamped.wait_seconds(urgent.priority) + 1e-6
        assert records <= unclamped.max_backlog_records + 1e-6

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
from schemas.priorities import Priority

LIMITS = BackpressureLimits(max_backlog_records=50_000)

counts = st.integers(0, 100_000)
queues = st.fixed_dictionaries({one: st.builds(QueueCounts, counts, counts) for one in Priority})
rates = st.builds(ServiceRate, st.floats(0, 1e4), st.floats(0, 1e4), st.floats(1, 1e3))
loads = st.builds(QueueLoad, st.builds(BacklogReading, st.just(0.0), queues, queues), rates)
priorities = st.sampled_from(list(Priority))


def shrunk(load, share):
    """The same with less waiting."""

    def fewer(queues):
        return {one: QueueCounts(int(queue.waiting * share), queue.taken) for one, queue in queues.items()}

    reading = load.reading
    return replace(load, reading=BacklogReading(0.0, fewer(reading.requests), fewer(reading.batches)))


def seconds(load, priority):
    refusal = overload_of(load, priority, LIMITS)
    return retry_after_seconds(refusal, LIMITS) if refusal else 0


@given(loads)
def test_critical_is_refused_last_and_comes_back_first(load):
    critical, high, standard = (seconds(load, one) for one in Priority)
    assert critical <= high <= standard


@given(loads, priorities, st.floats(0, 1))
def test_retry_after_falls_as_the_lag_falls(load, priority, share):
    assert seconds(shrunk(load, share), priority) <= seconds(load, priority)


@given(loads, priorities)
def test_one_request_more_never_lifts_a_refusal(load, priority):
    assert seconds(load.with_request(priority), priority) >= seconds(load, priority)


@given(loads, priorities)
def test_after_retry_after_the_measured_rate_has_brought_the_load_under_its_limits(load, priority):
    unclamped = BackpressureLimits(max_backlog_records=50_000, max_retry_after_seconds=10**12)
    refusal = overload_of(load, priority, unclamped)
    if refusal is None:
        return
    pause = retry_after_seconds(refusal, unclamped)
    floor = unclamped.least_records_per_second
    requests_rate = max(load.rate.requests_per_second, floor)
    batches_rate = max(load.rate.batches_per_second, floor)
    for urgent in Priority:
        records = max(load.records_before(urgent) - pause * batches_rate, 0)
        requests = max(load.requests_before(urgent) - pause * requests_rate, 0)
        wait = max(records / batches_rate, requests / requests_rate)
        assert wait <= unclamped.wait_seconds(urgent) + 1e-6
        assert records <= unclamped.max_backlog_records + 1e-6
        if urgent is priority:
            break

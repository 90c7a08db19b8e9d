"""A request whose deadline passes has one answer, EXPIRED or the one that came first, though no worker moves."""

import time
import uuid

import pytest

from tests.fleet import until
from tests.outside import Outside

SKIPPED = "dragoman_batches_skipped_total"
WORKERS = ("worker-1", "worker-2")


@pytest.fixture
def outside(stack):
    return Outside(stack.kafka_bootstrap)


@pytest.fixture
def results(outside):
    tail = outside.tail("translation.results")
    yield tail
    tail.close()


def send(outside, seconds: float, **fields) -> str:
    text = f"The garden {uuid.uuid4().hex[:6]} is green."
    return outside.send_request("high", text=text, deadline=round((time.time() + seconds) * 1000), **fields)


def only_result(results, request_id: str, quiet_seconds: float) -> dict:
    found = results.of(request_id)
    results.more(quiet_seconds)
    assert results.counts()[request_id] == 1
    return found


def test_while_the_workers_stand_still_a_late_request_is_ended_and_afterwards_skipped(stack, outside, results):
    skipped = stack.metric("worker", SKIPPED)
    # Short of the session time-out of the workers' groups.
    with stack.frozen(*WORKERS):
        request_id = send(outside, 2.0)
        result = results.of(request_id, timeout_seconds=7)
    assert (result["status"], result["error_cause"], result["error_field"]) == (
        "EXPIRED",
        "deadline_passed",
        "deadline",
    )
    assert (result["tenant"], result["text"], result["source_words"]) == ("tests", None, 0)
    only_result(results, request_id, 2.0)
    until(lambda: stack.metric("worker", SKIPPED) == skipped + 1, "skipped batch", 10)


def test_a_request_that_is_to_be_served_late_is_translated_after_its_deadline(stack, outside, results):
    with stack.frozen(*WORKERS):
        request_id = send(outside, 1.0, late_policy="serve")
        time.sleep(3.0)
    assert only_result(results, request_id, 3.0)["status"] == "COMPLETED"


def test_what_was_finished_in_time_is_not_ended_by_its_deadline(outside, results):
    request_id = send(outside, 6.0)
    assert only_result(results, request_id, 8.0)["status"] == "COMPLETED"

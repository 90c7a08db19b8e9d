"""Every request is answered once, whatever is killed; billed words equal the words of the results."""

import os
import signal
import time

import pytest

from tests.outside import Outside

SENTENCES = [
    f"The {noun} number {number} is {colour}."
    for number in range(40)
    for noun in ("house", "garden", "boat")
    for colour in ("green", "old")
]


def test_each_request_has_one_answer_though_worker_intake_and_assembly_are_killed(stack, analytics):
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    sent: list[str] = []
    for victim in ("worker-1", "intake-1", "assembly-1"):
        sent += [_send(outside, number) for number in range(60)]
        pid = stack.pid(victim)
        os.kill(pid, signal.SIGKILL)
        sent += [_send(outside, number + 60) for number in range(60)]
        stack.wait_for_restart(victim, pid)
    results.until(lambda read: set(sent) <= {one["request_id"] for one in read}, timeout_seconds=90)
    # Long enough for an answer that must not come: everything is idle by then.
    results.more(2.0)
    counts = results.counts()
    assert {request_id: counts[request_id] for request_id in sent} == dict.fromkeys(sent, 1)
    assert {one["status"] for one in results.read} == {"COMPLETED"}
    words = sum(one["source_words"] for one in results.read if one["request_id"] in set(sent))
    assert analytics.billed(sent) == (len(sent), words)
    results.close()


def test_a_request_that_is_sent_twice_is_answered_once(stack):
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    request_id = outside.send_request(
        "high", request_id=f"twice-{time.time_ns()}", text="Once only.", submitted_at=1
    )
    outside.send_request("high", request_id=request_id, text="Once only.", submitted_at=1)
    results.of(request_id)
    outside.send_request("high", request_id=request_id, text="Once only.", submitted_at=1)
    results.more(2.0)
    assert results.counts()[request_id] == 1
    results.close()


def test_an_id_that_comes_back_with_another_text_is_a_dead_letter_and_the_first_answer_stands(stack):
    outside = Outside(stack.kafka_bootstrap)
    results, dead_letters = outside.tail("translation.results"), outside.tail("translation.dead_letters")
    request_id = outside.send_request("high", text="The first text.")
    results.of(request_id)
    outside.send_request("high", request_id=request_id, text="Another text.")
    assert dead_letters.of(request_id)["cause"] == "id_reused"
    results.more(1.0)
    assert results.counts()[request_id] == 1
    results.close()
    dead_letters.close()


def _send(outside: Outside, number: int) -> str:
    text = " ".join(SENTENCES[(number * 7 + at) % len(SENTENCES)] for at in range(1 + number % 50))
    return outside.send_request(("critical", "high", "standard")[number % 3], text=text)


@pytest.fixture
def analytics(stack):
    return stack.analytics()

"""The state Redis is emptied in mid-load; every request is answered once all the same, without any help."""

import time
import uuid

import pytest
import redis

from deploy.local.main import read_run
from tests.outside import Outside, encoded, key_of, request_of

pytestmark = pytest.mark.slow

PRIORITIES = ("critical", "high", "standard")


@pytest.fixture
def results(stack):
    tail = Outside(stack.kafka_bootstrap).tail("translation.results")
    yield tail
    tail.close()


def requests(count: int) -> list[tuple[str, dict]]:
    """Every fourth is of three batches, the others of one; nothing in them is remembered."""
    made = []
    for number in range(count):
        sentences = 70 if number % 4 == 3 else 3
        text = " ".join(f"The boat {uuid.uuid4().hex[:6]} has {n} red sails." for n in range(sentences))
        made.append((PRIORITIES[number % 3], request_of(text=text)))
    return made


def send(outside: Outside, made: list[tuple[str, dict]]) -> None:
    for priority, request in made:
        outside.producer.produce(
            f"translation.requests.{priority}",
            key=key_of(request),
            value=encoded("TranslationRequest", request),
        )
    outside.producer.flush(20)


@pytest.mark.timeout(240)
def test_after_a_flush_in_mid_load_every_request_is_answered_once_though_all_are_sent_again(
    stack, results, record_property
):
    outside, made = Outside(stack.kafka_bootstrap), requests(120)
    ids = {request["request_id"] for _, request in made}
    redriven = stack.metric("repair", "dragoman_repair_redriven_total")
    send(outside, made)
    results.until(lambda read: len({one["request_id"] for one in read} & ids) >= 30)
    with redis.Redis.from_url(read_run(stack.root).redis_state_url) as state:
        state.flushall()
    flushed = time.monotonic()
    before = len({one["request_id"] for one in results.read} & ids)
    # The markers of what was seen are gone too: to intake every one of these is new.
    send(outside, made[::2])
    results.until(lambda read: ids <= {one["request_id"] for one in read}, timeout_seconds=150)
    seconds = time.monotonic() - flushed
    send(outside, made[1::2])
    results.more(8.0)
    counts = results.counts()
    assert {request_id: counts[request_id] for request_id in ids} == dict.fromkeys(ids, 1)
    assert {one["status"] for one in results.read if one["request_id"] in ids} == {"COMPLETED"}
    redriven = stack.metric("repair", "dragoman_repair_redriven_total") - redriven
    print(f"answered before the flush {before}, redriven {redriven:.0f}, all answered after {seconds:.1f} s")
    record_property("seconds", seconds)


@pytest.mark.timeout(240)
def test_what_only_the_state_knew_is_found_and_sent_again_without_the_help_of_clients(stack, results):
    outside, made = Outside(stack.kafka_bootstrap), requests(60)
    ids = {request["request_id"] for _, request in made}
    send(outside, made)
    results.until(lambda read: len({one["request_id"] for one in read} & ids) >= 15)
    with redis.Redis.from_url(read_run(stack.root).redis_state_url) as state:
        state.flushall()
    flushed = time.monotonic()
    results.until(lambda read: ids <= {one["request_id"] for one in read}, timeout_seconds=150)
    print(f"all answered {time.monotonic() - flushed:.1f} s after the flush")
    results.more(3.0)
    counts = results.counts()
    assert {request_id: counts[request_id] for request_id in ids} == dict.fromkeys(ids, 1)

"""Workers that are killed, joined by others or not heard by Kafka: no commit passes what is not stored."""

import time
import uuid
from pathlib import Path

import pytest

from connectors.kafka.admin import KafkaAdmin
from schemas.priorities import Priority
from schemas.topics import batches_topic, inference_group
from tests.fleet import to_translate, until

pytestmark = pytest.mark.real

MODULE = "inference_workers.main"
MUTE_WORKER = Path(__file__).parent / "mute_worker.py"
TOPIC, GROUP = batches_topic("default", Priority.HIGH), inference_group("default", Priority.HIGH)
MANY = 240


class Work:
    """One-sentence batches in the partitions of one topic, and what became of them."""

    def __init__(self, fleet, count=MANY):
        self.fleet, self.admin = fleet, KafkaAdmin(fleet.kafka)
        self.starts = self.admin.ends(TOPIC)
        self.ids = [f"survives-{uuid.uuid4().hex}" for _ in range(count)]
        fleet.send(to_translate(self.ids))

    @property
    def answered(self):
        return self.fleet.answers["worker"].counts(0.2)

    def passed(self):
        """Return the requests that committed offsets have passed."""
        committed = {lag.partition: lag.committed for lag in self.admin.lag(GROUP, [TOPIC])}
        return [
            one
            for at, one in enumerate(self.ids)
            if self.starts[at % 6] + at // 6 < max(committed.get(at % 6, 0), 0)
        ]

    def wait_until_committed(self):
        until(lambda: len(self.passed()) == len(self.ids), "commit of everything")


def test_a_killed_worker_has_committed_nothing_that_it_had_not_sent_and_the_next_one_does_the_rest(fleet):
    fleet.start(MODULE, "first")
    fleet.wait_until_ready("first")
    work = Work(fleet)
    # In the middle: something is committed, and something is not yet answered.
    until(work.passed, "a first commit")
    fleet.kill("first")
    passed = work.passed()
    assert 0 < len(passed) < MANY
    # Nobody sends anything now; the reader of this test may still have to fetch it.
    until(lambda: set(passed) <= work.answered.keys(), "answers of what was committed")
    print(f"killed when {len(passed)} were committed and {len(work.answered)} sent")
    fleet.start(MODULE, "second")
    fleet.answers["worker"].wait_for(work.ids)
    work.wait_until_committed()


def test_a_rebalance_in_the_middle_loses_nothing_and_repeats_little(fleet):
    fleet.start(MODULE, "first")
    fleet.wait_until_ready("first")
    work = Work(fleet, 4 * MANY)
    until(work.passed, "a first commit")
    fleet.start(MODULE, "second")
    fleet.wait_until_ready("second")
    before = len(work.answered)
    fleet.answers["worker"].wait_for(work.ids)
    work.wait_until_committed()
    repeated = sum(count - 1 for count in work.answered.values())
    print(f"moved after {before} of {len(work.ids)}; {repeated} were translated twice")
    assert before < len(work.ids)
    # What the first one had in hand of the partitions that it gave up, at most.
    assert repeated < MANY / 4
    assert fleet.stop("first") == 0
    again = Work(fleet, 12)
    fleet.answers["worker"].wait_for(again.ids)
    again.wait_until_committed()


def test_what_kafka_never_acknowledges_is_not_committed_and_is_taken_again(fleet):
    fleet.start(
        MODULE,
        "mute",
        script=[str(MUTE_WORKER), "3"],
        DRAGOMAN_KAFKA_MAX_POLL_INTERVAL_MS="8000",
    )
    fleet.wait_until_ready("mute")
    work = Work(fleet, 12)
    until(lambda: len(work.answered) >= 9, "answers behind the swallowed ones")
    time.sleep(2.5)
    assert set(work.passed()) <= work.answered.keys()
    assert len(work.passed()) < 12
    assert "in hand" in fleet.wait_for_event("mute", "cycle_retried")["error"]
    fleet.answers["worker"].wait_for(work.ids)
    work.wait_until_committed()


def test_a_worker_that_is_stopped_commits_what_it_has_sent_and_the_next_one_repeats_nothing(fleet):
    fleet.start(MODULE, "first")
    fleet.wait_until_ready("first")
    work = Work(fleet)
    until(lambda: len(work.answered) > MANY / 10, "a tenth of the answers")
    assert fleet.stop("first") == 0
    fleet.start(MODULE, "second")
    fleet.answers["worker"].wait_for(work.ids)
    work.wait_until_committed()
    assert set(work.answered.values()) == {1}

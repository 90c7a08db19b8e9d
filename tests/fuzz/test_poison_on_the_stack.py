"""A short form of `make poison`: hundreds of spoiled records a topic, and senders of valid ones notice nothing."""

import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz.campaign import Campaign
from tests.fuzz.samples import INPUTS
from tests.outside import Outside


def test_spoiled_records_on_every_topic_disturb_nobody(stack):
    outcome = Campaign(stack, seed=1, records_per_topic=200, good_requests=60).run()
    assert outcome.violations == []
    assert set(outcome.sent.values()) == {200}


def test_header_names_that_are_no_utf8_stop_no_process(stack):
    outside = Outside(stack.kafka_bootstrap)
    dead_letters, results = outside.tail("translation.dead_letters"), outside.tail("translation.results")
    script = Path(__file__).with_name("raw_names.py")
    command = [sys.executable, str(script), stack.kafka_bootstrap, *INPUTS]
    subprocess.run(command, env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}, timeout=30, check=True)
    # More than partitions of a topic, so that some of them lie behind the garbage.
    sent = {
        outside.send_request(priority, text=f"The sea is calm, it is day {number}.")
        for number in range(12)
        for priority in ("critical", "high", "standard")
    }
    results.until(lambda read: sent <= {one["request_id"] for one in read}, 60)
    dead_letters.until(lambda read: set(INPUTS) <= {one["topic"] for one in read}, 60)
    assert {one["topic"] for one in dead_letters.read} == set(INPUTS)
    assert sent <= {one["request_id"] for one in results.read}
    dead_letters.close()
    results.close()

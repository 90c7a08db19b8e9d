"""The books of a running platform: rows soon after the answers, workers and machine time, and a reconciliation."""

import json
import os
import subprocess
import sys
import time
import uuid

import pytest

from tests.outside import Outside

TENANT = "tests"
# Answers until they are rows; a busy machine is slower than the second and a half of the sink.
LATEST_SECONDS = 10.0


@pytest.fixture
def outside(stack):
    return Outside(stack.kafka_bootstrap)


def sent_and_answered(outside: Outside, count: int) -> list[str]:
    """Send new requests, and wait for their answers."""
    results = outside.tail("translation.results")
    mark = uuid.uuid4().hex[:6]
    sent = [outside.send_request("critical", text=f"The house {mark} {n} is old.") for n in range(count)]
    for request_id in sent:
        results.of(request_id)
    results.close()
    return sent


def until(is_so, seconds: float = LATEST_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)


def test_answers_are_rows_soon_and_their_words_are_those_of_the_results(stack, outside):
    sent = sent_and_answered(outside, 5)
    books = stack.analytics()
    names = ", ".join(f"'{request_id}'" for request_id in sent)
    mine = f"tenant = '{TENANT}' AND request_id IN ({names})"
    billed = f"SELECT count() AS n FROM usage_events WHERE kind = 'billed' AND {mine}"
    until(lambda: books.rows(billed)[0]["n"] == 5)
    until(lambda: books.rows(f"SELECT count() AS n FROM requests FINAL WHERE {mine}")[0]["n"] == 5)
    (row,) = books.rows(
        f"SELECT min(status = 'COMPLETED') AS done, min(total_seconds > 0) AS timed, sum(source_words) AS words,"
        f" (SELECT sum(source_words) FROM usage_events WHERE kind = 'billed' AND {mine}) AS billed"
        f" FROM requests FINAL WHERE {mine}"
    )
    assert (row["done"], row["timed"], row["words"]) == (1, 1, row["billed"])


def test_both_workers_have_told_that_they_started_and_machine_time_costs(stack, outside):
    sent_and_answered(outside, 1)
    books = stack.analytics()
    started = (
        "SELECT uniqExact(worker) AS n FROM worker_intervals WHERE state = 'starting' AND worker LIKE 'worker-%'"
    )
    until(lambda: books.rows(started)[0]["n"] >= 2)
    (row,) = books.rows("SELECT sum(total_cost) > 0 AS costs FROM cost_lines WHERE line = 'starting'")
    assert row["costs"] == 1


def test_a_reconciliation_finds_no_difference_in_what_was_just_answered(stack, outside):
    sent_and_answered(outside, 3)
    command = [
        sys.executable,
        "-m",
        "producers.cli.main",
        "analytics",
        "reconcile",
        "--since",
        "1h",
        "--settled",
        "0",
    ]
    environment = {**os.environ, "DRAGOMAN_LOCAL_ROOT": str(stack.root)}

    def off() -> list[dict]:
        done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        found = json.loads(done.stdout)
        assert (found["topic"][0] >= 3, found["rollup_hours"]) == (True, 0)
        return [one for one in found["differences"] if one["tenant"] == TENANT]

    until(lambda: off() == [], 30.0)

"""A cancelled job has one answer, CANCELLED, and its waiting work is not done; a finished one stays finished."""

import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest

from tests.outside import Outside

ROOT = Path(__file__).parents[2]
SKIPPED = "dragoman_batches_skipped_total"


@pytest.fixture
def results(stack):
    tail = Outside(stack.kafka_bootstrap).tail("translation.results")
    yield tail
    tail.close()


@pytest.fixture
def http(stack):
    with httpx.Client(
        base_url=f"{stack.http_url}/api/v1/translations", headers=stack.headers, timeout=30
    ) as client:
        yield client


def submit(http: httpx.Client, text: str) -> str:
    body = {"text": text, "source_language": "en", "target_language": "pt", "priority": "standard"}
    return str(http.post("", json=body, follow_redirects=True).raise_for_status().json()["job_id"])


def document(sentences: int) -> str:
    """Nothing in it is remembered from another test."""
    return " ".join(
        f"The house {uuid.uuid4().hex[:6]} is number {n} in the long street." for n in range(sentences)
    )


def wait_until(is_so, timeout_seconds: float = 60.0) -> None:
    end = time.monotonic() + timeout_seconds
    while not is_so():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def only_result(results, job_id: str, quiet_seconds: float = 2.0) -> dict:
    found = results.of(job_id)
    results.more(quiet_seconds)
    assert results.counts()[job_id] == 1
    return found


def test_a_long_document_that_is_cancelled_in_mid_work_is_answered_once_and_the_rest_is_skipped(
    stack, http, results
):
    translated = Outside(stack.kafka_bootstrap).tail("translation.translated")
    skipped = stack.metric("worker", SKIPPED)
    job_id = submit(http, document(3_000))
    translated.of(job_id)
    answer = http.delete(f"/{job_id}")
    assert (answer.status_code, answer.json()["is_finished"]) == (202, False)
    assert http.delete(f"/{job_id}").status_code in (200, 202)
    assert results.of(job_id)["status"] == "CANCELLED"
    batches = answer.json()["batches"] or http.get(f"/{job_id}").json()["batches"]
    wait_until(lambda: _done(translated, job_id) + stack.metric("worker", SKIPPED) - skipped == batches)
    # The text was to take many times as long as the cancellation took.
    assert _done(translated, job_id) < batches / 2
    assert only_result(results, job_id)["source_words"] == 0
    assert http.delete(f"/{job_id}").json()["status"] == "CANCELLED"
    translated.close()


def test_a_job_that_is_cancelled_before_intake_has_read_it_is_never_translated(stack, http, results):
    skipped = stack.metric("worker", SKIPPED)
    with stack.frozen("intake-1"):
        # Of several batches: about the only batch of a request that has just come no worker asks.
        job_id = submit(http, document(300))
        wait_until(lambda: http.get(f"/{job_id}").is_success)
        assert http.delete(f"/{job_id}").status_code == 202
        result = results.of(job_id)
    assert (result["status"], result["tenant"], result["text"]) == ("CANCELLED", "default", None)
    wait_until(lambda: (http.get(f"/{job_id}").json()["batches"] or 0) > 1)
    batches = http.get(f"/{job_id}").json()["batches"]
    wait_until(lambda: stack.metric("worker", SKIPPED) == skipped + batches)
    only_result(results, job_id)


def test_cancelling_a_finished_job_changes_nothing(stack, http, results):
    job_id = submit(http, "The garden is green.")
    results.of(job_id)
    wait_until(lambda: http.get(f"/{job_id}").json()["is_finished"])
    answer = http.delete(f"/{job_id}")
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    assert only_result(results, job_id)["status"] == "COMPLETED"


def test_a_foreign_client_ends_a_job_and_a_cancellation_that_comes_too_late_shows_the_result(stack, http, results):
    command = [sys.executable, "examples/cancel_translation.py", stack.kafka_bootstrap]
    job_id = submit(http, document(1_500))
    assert _shown(*command, f"default/{job_id}") == "CANCELLED\n"
    only_result(results, job_id)
    finished = submit(http, "The boat is old.")
    results.of(finished)
    assert _shown(*command, f"default/{finished}") == "COMPLETED\n"
    only_result(results, finished)


def _shown(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout


def _done(translated, job_id: str) -> int:
    translated.more(0.2)
    return translated.counts()[job_id]

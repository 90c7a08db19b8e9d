"""Erased jobs on the whole platform: results, Redis and the object store hold no text of theirs."""

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest
import redis

from connectors.kafka.settings import KafkaSettings
from deploy.local.main import read_run
from schemas.accounts import Tenant
from schemas.codec import Codec
from stream_apps.accounts.changes import Change, new_tenant
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.runtime.process import now_ms
from tests.outside import Outside

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def http(stack):
    with httpx.Client(base_url=f"{stack.http_url}/api/v1", headers=stack.headers, timeout=30) as client:
        yield client


def submit(http: httpx.Client, text: str, **fields) -> str:
    body = {"text": text, "source_language": "en", "target_language": "pt", **fields}
    return str(http.post("/translations", json=body).raise_for_status().json()["job_id"])


def upload(http: httpx.Client, text: str) -> str:
    asked = {"source_language": "en", "target_language": "pt", "priority": "critical"}
    files = {"file": ("plans.txt", text.encode())}
    return str(http.post("/documents", files=files, data=asked).raise_for_status().json()["job_id"])


def job_of(http: httpx.Client, job_id: str, is_so, timeout_seconds: float = 60.0, **named: str) -> dict:
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        found = http.get(f"/translations/{job_id}", params={"wait": 1, **named})
        if found.status_code == 200 and is_so(found.json()):
            return dict(found.json())
        time.sleep(0.1)
    raise AssertionError(f"not in time: {found.text}")


def until(is_so, timeout_seconds: float = 60.0) -> None:
    end = time.monotonic() + timeout_seconds
    while not is_so():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)


def erase(http: httpx.Client, job_id: str) -> None:
    assert http.post(f"/translations/{job_id}/erase").status_code == 202


@pytest.mark.timeout(300)
def test_nothing_of_an_erased_job_is_left_but_its_figures(stack, http):
    results = Outside(stack.kafka_bootstrap).tail("translation.results")
    word = f"Zyx{uuid.uuid4().hex[:10]}"
    text = f"The house of {word} is old and large."
    finished, document = submit(http, text), upload(http, f"{text}\nThe door of {word} is open.\n")
    open_job = submit(http, " ".join(f"The door {number} of {word} is red." for number in range(3_000)))
    for job_id in (finished, document):
        assert job_of(http, job_id, lambda job: job["is_finished"])["status"] == "COMPLETED"
    words = job_of(http, finished, lambda job: job["is_finished"])["word_count"]
    assert word in http.get(f"/translations/{finished}").text
    assert texts_in_store(stack, word) == word
    ids = [finished, document, open_job]
    for job_id in ids:
        erase(http, job_id)
    erased = {job_id: job_of(http, job_id, lambda job: job["erased_at"]) for job_id in ids}
    assert [one["status"] for one in erased.values()] == ["COMPLETED", "COMPLETED", "CANCELLED"]
    assert erased[finished]["word_count"] == words
    for path in ("download", "events"):
        assert http.get(f"/translations/{document}/{path}").status_code == 410
    assert http.post(f"/translations/{finished}/erase").status_code == 200
    until(lambda: texts_in_store(stack, word) == "")
    newest = results.until(lambda read: {one["request_id"] for one in read if one["erased_at"]} >= set(ids))
    kept = {one["request_id"]: one for one in newest}
    for job_id in ids:
        assert word not in repr(kept[job_id])
        assert kept[job_id]["erased_at"] is not None
    results.close()
    with redis.Redis.from_url(read_run(stack.root).redis_state_url) as state:
        held = [name for name in state.scan_iter() if word.encode() in (state.dump(name) or b"")]
    assert held == []
    rows, billed = stack.analytics().billed(ids)
    assert rows == 3
    assert billed == sum(kept[job_id]["source_words"] for job_id in ids)


def command_line(stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "producers.cli.main", *words],
        cwd=stack.root.parent,
        env={
            "PYTHONPATH": str(ROOT),
            "DRAGOMAN_API_KEY": stack.headers["Authorization"].split()[1],
            "DRAGOMAN_KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def texts_in_store(stack, word: str) -> str:
    """Return the word if any file of the object store of the stack holds it."""
    for path in (stack.root / "data" / "objects").rglob("*"):
        if path.is_file() and word.encode() in path.read_bytes():
            return word
    return ""


def test_a_job_that_the_state_has_forgotten_is_erased_by_http_all_the_same(stack, http):
    word = f"Zyx{uuid.uuid4().hex[:10]}"
    job_id = submit(http, f"The house of {word} is old and large.", priority="critical")
    words = job_of(http, job_id, lambda job: job["is_finished"])["word_count"]
    until(lambda: stack.analytics().rows(f"SELECT 1 FROM requests WHERE request_id = '{job_id}'") != [])
    with redis.Redis.from_url(read_run(stack.root).redis_state_url) as state:
        state.delete(*state.scan_iter(f"*{job_id}*"))
        assert list(state.scan_iter(f"*{job_id}*")) == []
    assert http.get(f"/translations/{job_id}").status_code == 404
    results = Outside(stack.kafka_bootstrap).tail("translation.results")
    answer = http.post(f"/translations/{job_id}/erase")
    assert (answer.status_code, answer.json()["status"], answer.json()["word_count"]) == (202, "COMPLETED", words)
    found = results.until(lambda read: any(one["request_id"] == job_id for one in read))
    (newest,) = (one for one in found if one["request_id"] == job_id)
    assert (newest["status"], newest["source_words"], newest["version"]) == ("COMPLETED", words, 1)
    assert newest["erased_at"] is not None
    assert word not in repr(newest)
    results.close()
    assert job_of(http, job_id, lambda job: job["erased_at"])["status"] == "COMPLETED"
    assert stack.analytics().billed([job_id]) == (1, words)
    assert http.post("/translations/no-such-job/erase").status_code == 404


@pytest.mark.timeout(300)
def test_every_request_of_a_tenant_is_erased_by_http_and_nothing_of_another_one(stack, http):
    tenant, word = f"gone-{uuid.uuid4().hex[:8]}", f"Zyx{uuid.uuid4().hex[:10]}"
    change = Change("tests", now_ms())
    kafka = KafkaSettings(bootstrap=stack.kafka_bootstrap)
    wish = Tenant(tenant=tenant, tier="unlimited")
    KafkaAccounts(kafka, Codec()).change(lambda found: [new_tenant(found, wish, change)])
    texts = [f"The house number {number} of {word} is old." for number in range(5)]
    theirs = [submit(http, text, tenant=tenant, priority="critical") for text in texts]
    open_job = submit(http, " ".join(f"The door {n} of {word} is red." for n in range(3_000)), tenant=tenant)
    mine = submit(http, "The cat sleeps on the table.", priority="critical")
    for job_id in theirs:
        job_of(http, job_id, lambda job: job["is_finished"], tenant=tenant)
    words_before = job_of(http, mine, lambda job: job["is_finished"])["word_count"]
    assert http.post(f"/tenants/{tenant}/erase", json={"confirm": "default"}).status_code == 422
    begun = http.post(f"/tenants/{tenant}/erase", json={"confirm": tenant})
    assert begun.status_code == 202
    until(lambda: http.get(f"/tenants/{tenant}/erase").json()["status"] == "ORDERED")
    told = http.get(f"/tenants/{tenant}/erase").json()
    assert (told["requests"], told["ordered"]) == (6, 6)
    for job_id in (*theirs, open_job):
        job = job_of(http, job_id, lambda job: job["erased_at"], tenant=tenant)
        assert job["status"] == ("CANCELLED" if job_id == open_job else "COMPLETED")
        assert word not in repr(job)
    kept = job_of(http, mine, lambda job: job["is_finished"])
    assert (kept["erased_at"], kept["word_count"]) == (None, words_before)
    until(lambda: texts_in_store(stack, word) == "")
    rows, _ = stack.analytics().billed([*theirs, open_job])
    assert rows == 6
    # What is erased is not ordered again, by the command line either.
    ran = command_line(stack, "tenants", "erase", tenant, "--json")
    assert json.loads(ran.stdout) == {"tenant": tenant, "requests": 0, "ordered": 0}


def test_the_command_line_erases_a_job(stack, http):
    job_id = submit(http, "The cat sleeps on the table.", priority="critical")
    job_of(http, job_id, lambda job: job["is_finished"])
    for said in ("erasure requested", "erased already"):
        assert said in command_line(stack, "erase", job_id, "--url", stack.http_url).stderr
        job_of(http, job_id, lambda job: job["erased_at"])

"""Topics and Avro are the whole contract: a stranger's client is served."""

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.outside import Outside, encoded, key_of, request_of

ROOT = Path(__file__).parent.parent.parent


def test_an_event_of_the_fifteen_line_example_comes_back_translated(stack):
    command = [
        sys.executable,
        "examples/request_translation.py",
        stack.kafka_bootstrap,
        "Good morning, my friend.",
    ]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.startswith("COMPLETED ")
    assert "amigo" in shown.stdout


def test_raw_bytes_sent_by_kcat_come_back_translated(stack, needed):
    needed(shutil.which("kcat"), "kcat")
    request = request_of(text="The house is big.")
    results = Outside(stack.kafka_bootstrap).tail("translation.results")
    command = ["examples/request_with_kcat.sh", stack.kafka_bootstrap, key_of(request)]
    subprocess.run(command, cwd=ROOT, input=encoded("TranslationRequest", request), timeout=30, check=True)
    assert "casa" in results.of(request["request_id"])["text"]
    results.close()


def test_a_malformed_event_is_a_dead_letter_and_the_next_one_is_served(stack):
    outside = Outside(stack.kafka_bootstrap)
    dead_letters, results = outside.tail("translation.dead_letters"), outside.tail("translation.results")
    for value in (b"garbage", json.dumps({"text": "hi"}).encode(), b"\xc3\x01" + bytes(20)):
        outside.send_bytes("translation.requests.high", "same-key", value)
    served = outside.send_request("high", text="The house is big.")
    assert results.of(served)["status"] == "COMPLETED"
    found = dead_letters.until(lambda read: len(read) >= 3)
    assert {dead_letter["value"] for dead_letter in found} >= {b"garbage", b'{"text": "hi"}'}
    assert {dead_letter["cause"] for dead_letter in found} == {"undecodable"}
    assert all(dead_letter["stage"] == "intake" and dead_letter["cure"] for dead_letter in found)
    dead_letters.close()
    results.close()


@pytest.mark.parametrize(
    ("fields", "cause", "field"),
    [
        ({"target_language": "xx"}, "unsupported_pair", "target_language"),
        ({"text": "   \n "}, "empty_text", "text"),
        ({"text": "word " * 300_000}, "text_too_long", "text"),
        ({"priority": "urgent"}, "unknown_priority", "priority"),
        ({"priority": "critical"}, "priority_contradicts_topic", "priority"),
    ],
)
def test_a_bad_request_is_a_dead_letter_and_one_failed_result_that_name_the_field(stack, fields, cause, field):
    outside = Outside(stack.kafka_bootstrap)
    dead_letters, results = outside.tail("translation.dead_letters"), outside.tail("translation.results")
    request_id = outside.send_request("standard", **{"text": "Hello.", "metadata": {"ticket": "7"}, **fields})
    dead_letter, result = dead_letters.of(request_id), results.of(request_id)
    assert (dead_letter["cause"], dead_letter["field"]) == (cause, field)
    assert dead_letter["cure"]
    assert (result["status"], result["error_cause"], result["error_field"]) == ("FAILED", cause, field)
    assert result["metadata"] == {"ticket": "7"}
    dead_letters.close()
    results.close()


def test_a_placeholder_of_the_senders_own_form_stays(stack):
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    options = {"placeholder_pattern": "<<[a-z ]+>>"}
    sent = outside.send_request("high", text="My friend lives in <<city name>>.", engine_options=options)
    text = results.of(sent)["text"]
    assert text.count("<<city name>>") == 1
    assert "amigo" in text
    results.close()


def test_two_tenants_under_one_id_get_each_its_own_answer(stack):
    outside, shared = Outside(stack.kafka_bootstrap), f"shared-{uuid.uuid4()}"
    results = outside.tail("translation.results")
    texts = {"acme": "The house is big.", "globex": "The garden is green."}
    for tenant, text in texts.items():
        outside.send_request("high", tenant=tenant, request_id=shared, text=text)
    results.until(lambda read: len([one for one in read if one["request_id"] == shared]) >= 2)
    results.more(2.0)
    mine = [one for one in results.read if one["request_id"] == shared]
    assert sorted(one["tenant"] for one in mine) == ["acme", "globex"]
    said = {one["tenant"]: one["text"] for one in mine}
    assert "casa" in said["acme"]
    assert "jardim" in said["globex"]
    results.close()


def test_the_result_carries_counts_versions_timings_and_the_metadata(stack):
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    text = "The house is big.  The garden is green.\n\nThe sea is far away.\n"
    request_id = outside.send_request("critical", text=text, source_language="auto", metadata={"ticket": "9"})
    result = results.of(request_id)
    assert result["status"] == "COMPLETED"
    assert result["text"].count("\n\n") == 1
    assert result["text"].endswith("\n")
    assert (result["source_words"], result["source_characters"]) == (13, len(text))
    assert (result["segments"], result["detected_language"], result["priority"]) == (3, "en", "critical")
    assert result["target_words"] > 5
    assert result["confidence"] is None
    assert result["model"].startswith("bergamot")
    assert result["pipeline_version"]
    assert result["timings"]["translate"] >= 0
    assert result["metadata"] == {"ticket": "9"}
    results.close()

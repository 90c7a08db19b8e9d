"""`dragoman replay` on real traffic: the same model says the same, another one does not."""

import json
import time
import uuid
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from inference_workers.model_store import discover
from producers.cli.main import app
from tests.outside import Outside

TEXTS = ["The house is big.", "The garden is green.  The boat is old.\n\nThe sea is calm."]


@pytest.fixture
def past(stack):
    """Requests of a moment ago, answered: since when, and their results by id."""
    since = datetime.now(UTC)
    time.sleep(0.01)
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    sent = {outside.send_request("high", text=text) for text in TEXTS}
    sent.add(outside.send_request("standard", source_language="pt", target_language="en", text="A casa é grande."))
    results.until(lambda read: sent <= {one["request_id"] for one in read})
    results.close()
    return since.isoformat(), {one["request_id"]: one for one in results.read if one["request_id"] in sent}


@pytest.fixture
def replay(stack, monkeypatch):
    """Runs the command against the stack; gives its report."""
    monkeypatch.setenv("DRAGOMAN_KAFKA_BOOTSTRAP", stack.kafka_bootstrap)

    def run(*options):
        ran = CliRunner().invoke(app, ["replay", "--json", *options])
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    return run


@pytest.fixture
def another_model(tmp_path):
    """The model of the other direction, said to be one for English to Portuguese."""
    original = next(info for info in discover() if info.translates("pt", "en"))
    folder = tmp_path / "another"
    folder.mkdir()
    for file in original.path.iterdir():
        (folder / file.name).symlink_to(file)
    manifest = {"engine": "bergamot", "pairs": ["en-pt"], "version": "another-1"}
    (folder / "dragoman-model.json").write_text(json.dumps(manifest))
    return folder


def test_the_same_model_gives_the_same_texts_and_names_what_it_does_not_serve(stack, past, replay):
    since, answers = past
    name = next(info.version for info in discover() if info.translates("en", "pt"))
    topic = f"replay-{uuid.uuid4()}"
    report = replay("--since", since, "--model", name, "--to", topic)
    assert (report["requests"], report["equal"], report["different"]) == (2, 2, 0)
    assert report["mean_similarity"] == 1.0
    assert report["skipped"] == {"pair pt-en not served": 1}
    assert (report["segments"], report["words"]) == (4, 16)
    written = _written(stack, topic, 2)
    assert {one["request_id"]: one["text"] for one in written} == {
        one["request_id"]: one["text"] for one in answers.values() if one["target_language"] == "pt"
    }
    assert {one["pipeline_version"].partition("-")[0] for one in written} == {"replay"}
    assert {one["model"] for one in written} == {name}


def test_another_model_is_told_apart_and_texts_are_shown_only_on_request(stack, past, replay, another_model):
    since, _ = past
    options = ("--since", since, "--model", str(another_model), "--to", f"replay-{uuid.uuid4()}")
    report = replay(*options, "--limit", "1")
    assert (report["requests"], report["different"]) == (1, 1)
    assert report["mean_similarity"] < 1
    (most,) = report["most_different"]
    assert set(most) == {"key", "similarity"}
    (shown,) = replay(*options, "--limit", "1", "--show-texts")["most_different"]
    assert shown["past"] != shown["replayed"]


def test_a_topic_of_the_platform_is_no_place_for_a_replay(stack, replay, monkeypatch):
    name = next(info.version for info in discover())
    command = ["replay", "--since", "1h", "--model", name, "--to", "translation.results"]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 2
    assert "translation.results" in ran.stderr


def _written(stack, topic, count):
    tail = Outside(stack.kafka_bootstrap).tail(topic, message="TranslationResult", from_beginning=True)
    tail.until(lambda read: len(read) >= count, 10)
    tail.close()
    return tail.read

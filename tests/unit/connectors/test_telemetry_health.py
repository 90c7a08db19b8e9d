"""Alive means progress, ready means able to work."""

import json
import urllib.error
import urllib.request

import pytest

from connectors.telemetry.health import Health, answer_of, serve_health
from connectors.telemetry.metrics import PART_SECONDS


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_process_that_makes_no_progress_is_not_alive():
    clock = Clock()
    health = Health(silence_seconds=60, clock=clock)
    clock.seconds = 59
    assert answer_of(health, "/health")[0] == 200
    clock.seconds = 61
    assert answer_of(health, "/health")[0] == 503
    health.beat()
    assert answer_of(health, "/health")[0] == 200


def test_a_process_says_why_it_is_not_ready():
    health = Health()
    assert json.loads(answer_of(health, "/ready")[2])["reason"] == "starting"
    health.ready()
    assert answer_of(health, "/ready")[0] == 200
    health.not_ready("loading en-pt")
    status, _, body = answer_of(health, "/ready")
    assert (status, json.loads(body)["reason"]) == (503, "loading en-pt")


def test_an_objection_outlasts_whoever_says_ready():
    health = Health()
    health.object("the state forgets")
    health.ready()
    assert json.loads(answer_of(health, "/ready")[2]) == {"ready": False, "reason": "the state forgets"}
    health.object("")
    assert answer_of(health, "/ready")[0] == 200


def test_an_unknown_path_names_the_known_ones():
    status, _, body = answer_of(Health(), "/nothing")
    assert status == 404
    assert b"/ready" in body


def test_who_accepts_openmetrics_gets_it_with_exemplars_and_others_get_text():
    PART_SECONDS.labels("of-this-test").observe(0.1, {"trace_id": "a" * 32})
    accepted = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    _, content_type, body = answer_of(Health(), "/metrics", accepted)
    assert content_type.startswith("application/openmetrics-text")
    assert b'# {trace_id="' + b"a" * 32 in body
    _, content_type, body = answer_of(Health(), "/metrics")
    assert content_type.startswith("text/plain")
    assert b"trace_id" not in body


def test_the_server_answers_over_http_until_it_is_closed():
    health = Health()
    server = serve_health(health, port=0)
    url = f"http://127.0.0.1:{server.port}"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/ready", timeout=5)
    refused.value.close()
    assert refused.value.code == 503
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as metrics:
        assert b"# HELP process_" in metrics.read()
    server.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/health", timeout=1)

"""The life of a process: what it logs, when its health port answers, and with which code it exits."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

MAIN = """
import json, os, signal, sys
from urllib.error import HTTPError
from urllib.request import urlopen
from connectors.settings import ProcessSettings
from schemas.errors import FatalError, TransientError
from stream_apps.runtime.process import run_process

port = 0

def ready():
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return answer.status
    except HTTPError as refused:
        return refused.code
    except OSError:
        return "closed"

def run(settings, process):
    global port
    port = process.server.port
    process.started(pool="default")
    print(ready())
    process.health.ready()
    print(ready())
    END

try:
    run_process("worker", ProcessSettings, run)
finally:
    print(ready())
"""

STOP = "os.kill(os.getpid(), signal.SIGTERM); assert process.shutdown.wait(30) and process.shutdown.is_wanted()"
FAIL = "raise FatalError('the broker is unreachable')"


@cache
def lived(end: str, **environment: str) -> tuple[int, list[dict[str, object]], list[str]]:
    """The exit code of a process with that end, the events that it logged, and what it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", MAIN.replace("END", end)],
        capture_output=True,
        text=True,
        check=False,
        env={"DRAGOMAN_INSTANCE": "worker-1", "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )
    events = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    return ended.returncode, events, ended.stdout.split()


def names(events: list[dict[str, object]]) -> list[object]:
    return [event["event"] for event in events]


def test_a_process_that_is_told_to_stop_says_so_and_exits_with_0():
    code, events, _ = lived(STOP)
    assert (code, names(events)) == (0, ["process_started", "process_stopped"])


def test_every_event_names_its_process_its_instance_its_level_and_its_time():
    _, (started, stopped), _ = lived(STOP)
    assert (started["process"], started["instance"], started["pool"]) == ("worker", "worker-1", "default")
    assert isinstance(started["health_port"], int)
    assert (stopped["process"], stopped["level"], "timestamp" in stopped) == ("worker", "info", True)


@pytest.mark.parametrize("end", [FAIL, "raise TransientError('the broker is unreachable')"])
def test_a_process_that_fails_says_why_and_exits_with_70_to_be_started_again(end):
    code, (_, failed), _ = lived(end)
    assert (code, failed["event"], failed["level"]) == (70, "process_failed", "critical")
    assert (failed["error"], failed["code"]) == ("the broker is unreachable", 70)


def test_a_library_that_ends_the_process_in_order_counts_as_a_stop():
    code, events, _ = lived("sys.exit(0)")
    assert (code, names(events)) == (0, ["process_started", "process_stopped"])


def test_a_library_that_ends_the_process_with_another_code_is_a_failure_with_that_code():
    code, events, _ = lived("sys.exit(3)")
    assert (code, names(events), events[-1]["code"]) == (3, ["process_started", "process_failed"], 3)


def test_a_defect_ends_the_process_with_1_and_is_no_stop_in_order():
    code, events, _ = lived("raise KeyError('a defect')")
    assert (code, names(events)) == (1, ["process_started"])


@pytest.mark.parametrize("end", [STOP, FAIL, "sys.exit(3)", "raise KeyError('a defect')"])
def test_health_is_served_from_the_start_and_closed_at_any_end(end):
    assert lived(end)[2] == ["503", "200", "closed"]


def test_an_invalid_setting_ends_the_process_before_it_runs():
    code, events, printed = lived(STOP, DRAGOMAN_HEALTH_PORT="99999999")
    assert (code, events, printed) == (1, [], ["closed"])

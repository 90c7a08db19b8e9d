"""Every process that opens the state refuses a real Valkey that may evict, at its start and while it runs."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import redis

from connectors.redis.client import open_state
from connectors.redis.settings import RedisSettings
from connectors.telemetry.health import Health
from producers.cli.reference import PROCESSES
from producers.cli.stack import state_fault
from stream_apps.runtime.state_watch import StateWatch, read_state_server
from tests.ports import free_port
from tests.valkey import running_valkey

MODULES = {
    "http": "producers.http.main",
    "intake": "stream_apps.intake.main",
    "worker": "inference_workers.main",
    "assembly": "stream_apps.assembly.main",
    "extraction": "stream_apps.documents.extraction.main",
    "merging": "stream_apps.documents.merging.main",
    "webhooks": "stream_apps.webhooks.main",
    "repair": "stream_apps.repair.main",
}
# Analytics writes there only what it measures again every minute, and only for budgets.
USERS = sorted(
    name for name, settings in PROCESSES.items() if "redis" in settings.model_fields and name != "analytics"
)
SMALL = ("--maxmemory", "3mb", "--maxmemory-policy")
EXIT_SECONDS = 60


def command(module, url, **environment) -> dict[str, Any]:
    told = {
        "DRAGOMAN_REDIS_STATE_URL": url,
        "DRAGOMAN_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        **environment,
    }
    return {"args": [sys.executable, "-m", module], "env": {**os.environ, **told}}


@pytest.mark.parametrize("name", USERS)
def test_no_process_that_opens_the_state_starts_on_one_that_evicts(name):
    with running_valkey(*SMALL, "volatile-lru") as url:
        ran = subprocess.run(
            **command(MODULES[name], url), capture_output=True, text=True, timeout=EXIT_SECONDS, check=False
        )
    assert ran.returncode == 70, ran.stderr
    assert "maxmemory-policy volatile-lru" in ran.stderr
    assert "process_started" not in ran.stderr


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_the_other_policies_are_refused_too(policy):
    with running_valkey(*SMALL, policy) as url:
        ran = subprocess.run(
            **command(MODULES["repair"], url), capture_output=True, text=True, timeout=EXIT_SECONDS, check=False
        )
    assert (ran.returncode, f"maxmemory-policy {policy}" in ran.stderr) == (70, True)


def test_a_policy_that_is_changed_under_a_running_process_ends_it():
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        process = subprocess.Popen(
            **command(MODULES["repair"], url, DRAGOMAN_REDIS_POLICY_SECONDS="0.1"),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            log = process.stderr
            assert log
            while "process_started" not in log.readline():
                assert process.poll() is None
            client.config_set("maxmemory-policy", "volatile-lru")
            _, rest = process.communicate(timeout=EXIT_SECONDS)
        finally:
            process.kill()
    assert (process.returncode, "state_unfit" in rest) == (70, True)


@pytest.mark.parametrize("policy", ["volatile-lru", "allkeys-lru"])
def test_markers_do_vanish_under_such_a_policy_and_the_server_counts_them(policy):
    with running_valkey(*SMALL, policy) as url, redis.Redis.from_url(url) as client:
        written = 0
        while not client.info("stats")["evicted_keys"]:
            for number in range(written, written + 500):
                client.set(f"done:{{acme/{number}}}", "x" * 200, ex=700_000)
            written += 500
            assert written < 100_000
        assert client.dbsize() < written
        with open_state(RedisSettings(state_url=url)) as state:
            found = read_state_server(state)
    assert (found.policy, found.evicted_keys > 0) == (policy, True)


def test_a_server_that_forbids_config_tells_its_policy_all_the_same():
    with running_valkey("--rename-command", "CONFIG", "") as url:
        with redis.Redis.from_url(url) as client, pytest.raises(redis.ResponseError):
            client.config_get("maxmemory-policy")
        with open_state(RedisSettings(state_url=url)) as state:
            assert read_state_server(state).policy == "noeviction"
            StateWatch(state, Health(), end=lambda: os.kill(os.getpid(), signal.SIGTERM)).first_look()


def test_the_command_line_names_the_fault_when_the_processes_cannot():
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        assert state_fault(url) == ""
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "set maxmemory-policy noeviction" in state_fault(url)
    assert state_fault(url) == ""


def test_the_look_costs_far_less_than_a_millisecond_a_second():
    with running_valkey() as url, open_state(RedisSettings(state_url=url)) as state:
        read_state_server(state)
        began = time.process_time()
        for _ in range(100):
            read_state_server(state)
        each_seconds = (time.process_time() - began) / 100
    assert each_seconds / RedisSettings().policy_seconds < 0.001

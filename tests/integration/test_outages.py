"""Redis or the broker away for some seconds: processes wait at no cost, and nothing is skipped or doubled."""

import os
import signal
import time
import uuid

import pytest

from deploy.local.main import read_run
from tests.fleet import to_assemble, to_segment, to_translate
from tests.valkey import Valkey

pytestmark = [pytest.mark.real, pytest.mark.slow]

AWAY_SECONDS = 6
MODULES = {
    "intake": "stream_apps.intake.main",
    "worker": "inference_workers.main",
    "assembly": "stream_apps.assembly.main",
}
WORK = {"intake": to_segment, "worker": to_translate, "assembly": to_assemble}


@pytest.fixture
def valkey(tmp_path):
    server = Valkey(str(tmp_path))
    server.start()
    yield server
    server.kill()


def new_ids():
    return [f"outage-{uuid.uuid4().hex}" for _ in range(12)]


def start_all(fleet, **environment):
    for name, module in MODULES.items():
        fleet.start(module, name, **environment)
    for name in MODULES:
        fleet.wait_until_ready(name)


def send_all(fleet):
    ids = {name: new_ids() for name in MODULES}
    for name, work in WORK.items():
        fleet.send(work(ids[name]))
    return ids


def wait_for_all(fleet, ids):
    for name in MODULES:
        fleet.answers[name].wait_for(ids[name])


def cpu_share(fleet, seconds):
    before = {name: fleet.cpu_seconds(name) for name in MODULES}
    time.sleep(seconds)
    return {name: (fleet.cpu_seconds(name) - before[name]) / seconds for name in MODULES}


def counts_of(fleet, ids):
    counts = {name: fleet.answers[name].counts(1.0) for name in MODULES}
    return {one: counts[name][one] for name in MODULES for one in ids[name]}


def test_while_redis_is_away_work_waits_at_no_cost_and_workers_go_on(fleet, valkey):
    start_all(fleet, DRAGOMAN_REDIS_STATE_URL=valkey.url, DRAGOMAN_REDIS_CACHE_URL=valkey.url)
    wait_for_all(fleet, send_all(fleet))
    valkey.kill()
    ids = send_all(fleet)
    # The memory is a cache only.
    fleet.answers["worker"].wait_for(ids["worker"])
    shares = cpu_share(fleet, AWAY_SECONDS)
    print(f"CPU seconds per second while Redis is away: {shares}")
    retries = fleet.events("assembly", "cycle_retried")
    # A state that is rebuilt is asked again at once; one that is away is not.
    pauses = [line["pause_seconds"] for line in retries if line["error"].startswith("Redis:")]
    assert all(0.2 <= pause <= 3 for pause in pauses)
    assert 3 <= len(pauses) <= 8
    assert fleet.events("intake", "event_retried")
    assert max(shares.values()) < 0.2
    valkey.start()
    wait_for_all(fleet, ids)
    assert set(counts_of(fleet, ids).values()) == {1}


def test_while_the_broker_stands_still_processes_wait_at_no_cost_and_nothing_is_lost(fleet, servers, needed):
    needed(servers.root, "a broker of the local stack, which can be frozen")
    start_all(fleet)
    first = send_all(fleet)
    broker = read_run(servers.root).processes["kafka"]
    os.kill(broker, signal.SIGSTOP)
    try:
        shares = cpu_share(fleet, AWAY_SECONDS)
    finally:
        os.kill(broker, signal.SIGCONT)
    print(f"CPU seconds per second while the broker stands still: {shares}")
    assert max(shares.values()) < 0.2
    wait_for_all(fleet, first)
    second = send_all(fleet)
    wait_for_all(fleet, second)
    assert set((counts_of(fleet, first) | counts_of(fleet, second)).values()) == {1}

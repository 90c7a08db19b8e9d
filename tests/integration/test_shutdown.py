"""SIGTERM in the middle of work: out within the stated time with exit code 0, and nothing lost or doubled."""

import threading
import time
import uuid

import httpx
import pytest

from connectors.kafka.admin import KafkaAdmin
from schemas.topics import ASSEMBLY_GROUP, INTAKE_GROUP, inference_groups
from stream_apps.runtime.process import STOP_SECONDS
from tests.fleet import Fleet, to_segment, until
from tests.ports import free_port

pytestmark = [pytest.mark.real, pytest.mark.slow]

MODULES = {
    "http": "producers.http.main",
    "intake": "stream_apps.intake.main",
    "worker": "inference_workers.main",
    "assembly": "stream_apps.assembly.main",
    "analytics": "stream_apps.usage_sink.main",
    "repair": "stream_apps.repair.main",
    "autoscaler": "deploy.autoscaler.main",
}


GROUPS = {
    "intake": [INTAKE_GROUP],
    "worker": [*inference_groups("default")],
    "assembly": [ASSEMBLY_GROUP],
    "analytics": ["usage_sink"],
}


class Load:
    """Ten requests at a time on Kafka and one over HTTP, until it is stopped."""

    def __init__(self, fleet: Fleet, http_port: int) -> None:
        self.sent: list[str] = []
        self._fleet = fleet
        self._url = f"http://127.0.0.1:{http_port}/api/v1/translations"
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.1):
            ids = [f"drain-{uuid.uuid4().hex}" for _ in range(10)]
            self._fleet.send(to_segment(ids))
            self.sent += ids
            try:
                body = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}
                answer = httpx.post(self._url, json=body)
            except httpx.TransportError:
                continue
            if answer.status_code == 202:
                self.sent.append(answer.json()["job_id"])


def members(fleet: Fleet, name: str) -> list[int]:
    """Of each group that the process is in."""
    return [KafkaAdmin(fleet.kafka).members(group) for group in GROUPS.get(name, [])]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("membership", ["static", "dynamic"])
def test_every_process_under_load_drains_in_time_and_nothing_is_lost_or_doubled(fleet, tmp_path, membership):
    port = free_port()
    own = {
        "DRAGOMAN_HTTP_PORT": str(port),
        "DRAGOMAN_HTTP_ANONYMOUS_TENANT": "default",
        "DRAGOMAN_ANALYTICS_DSN": f"chdb://{tmp_path / 'analytics'}",
    }

    def start(name):
        mine = {key: value for key, value in own.items() if name.upper() in key}
        fleet.start(MODULES[name], name, DRAGOMAN_KAFKA_STATIC_MEMBERSHIP=str(membership == "static"), **mine)

    for name in MODULES:
        start(name)
    for name in MODULES:
        fleet.wait_until_ready(name)
    load = Load(fleet, port)
    results = fleet.answers["assembly"]
    seconds = {}
    try:
        for name in MODULES:
            answered = results.counts(0.5).total()
            least = answered + 10
            until(lambda: results.counts(0.2).total() >= least, f"load before {name} stops")  # noqa: B023  # called at once
            before = members(fleet, name)
            began = time.monotonic()
            assert fleet.stop(name, STOP_SECONDS) == 0, name
            seconds[name] = round(time.monotonic() - began, 2)
            assert members(fleet, name) == [number - 1 for number in before], f"{name} did not leave its groups"
            start(name)
            fleet.wait_until_ready(name)
    finally:
        load.stop()
    print(f"seconds from SIGTERM to the exit: {seconds}")
    results.wait_for(load.sent)
    counts = results.counts(2.0)
    assert {one: counts[one] for one in load.sent} == dict.fromkeys(load.sent, 1)

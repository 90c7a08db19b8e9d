"""Debian's Prometheus and Alertmanager beside a real stack: a worker dies, its alert arrives and resolves."""

import json
import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.grafana.render import DASHBOARDS
from deploy.local.main import down, read_run, scale, up
from deploy.local.observing import RULES
from deploy.local.settings import StackSettings
from tests.grafana import asked_of_prometheus
from tests.outside import Outside
from tests.servers import LIBRARIES
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCRAPE_SECONDS = 1.0
# ServiceDown waits a minute, the pager's group ten seconds.
PROMQL = [panel for dashboard in DASHBOARDS for panel in dashboard.panels if panel.promql]
FIRING_SECONDS, RESOLVED_SECONDS = 150.0, 90.0


class Pager:
    """Takes what Alertmanager sends."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, dict[str, Any]]] = []
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pager.alerts += [(self.path, alert) for alert in sent["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def heard(self, receiver: str, name: str, instance: str, status: str) -> bool:
        return any(
            path == f"/{receiver}"
            and alert["status"] == status
            and alert["labels"]["alertname"] == name
            and alert["labels"].get("instance") == instance
            for path, alert in self.alerts
        )

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def pager() -> Iterator[Pager]:
    pager = Pager()
    yield pager
    pager.close()


@pytest.fixture(scope="module")
def observed(tmp_path_factory, pager) -> Iterator[Stack]:
    """A stack with both, whose alerts go to the pager; of the example's times only those of groups are shorter."""
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            assert not os.environ.get("CI"), f"{program} is missing"
            pytest.skip(f"{program} is missing")
    root = tmp_path_factory.mktemp("observed")
    config = root / "alertmanager.yml"
    example = (RULES / "alertmanager.yml").read_text()
    config.write_text(
        example.replace("http://127.0.0.1:9099", pager.url).replace("group_interval: 5m", "group_interval: 5s")
    )
    settings = StackSettings(
        root=root,
        kafka_libraries=LIBRARIES,
        observe=True,
        alertmanager_config=config,
        scrape_seconds=SCRAPE_SECONDS,
    )
    up(settings, detach=True, on_progress=lambda *_: None)
    yield Stack(root)
    down(root)


def until(is_true: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def answer(stack: Stack, query: str) -> list[dict[str, Any]]:
    url = read_run(stack.root).prometheus_url
    found = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=10).json()
    assert found["status"] == "success", (query, found)
    return list(found["data"]["result"])


def targets_up(stack: Stack) -> set[str]:
    return {one["metric"]["instance"] for one in answer(stack, 'up{job="dragoman"} == 1')}


def test_prometheus_scrapes_every_process_and_follows_the_number_of_workers(observed):
    ours = {name for name in read_run(observed.root).health_urls if name not in ("prometheus", "alertmanager")}
    until(lambda: targets_up(observed) == ours, 30, "not every process is scraped")
    scale(observed.root, 3)
    until(lambda: targets_up(observed) == ours | {"worker-3"}, 60, "the third worker is not scraped")
    scale(observed.root, 2)
    until(lambda: targets_up(observed) == ours, 60, "the third worker is still scraped")


def test_a_worker_that_keeps_dying_reaches_the_pager_and_its_return_resolves_the_alert(observed, pager):
    def die() -> bool:
        if pid := read_run(observed.root).processes.get("worker-1"):
            _kill(pid)
        return pager.heard("pager", "ServiceDown", "worker-1", "firing")

    until(die, FIRING_SECONDS, f"no alert came: {pager.alerts}")
    assert not pager.heard("pager", "ServiceDown", "worker-2", "firing")
    until(
        lambda: pager.heard("pager", "ServiceDown", "worker-1", "resolved"),
        RESOLVED_SECONDS,
        f"the alert was not resolved: {pager.alerts}",
    )
    until(lambda: "worker-1" in targets_up(observed), 30, "worker-1 is not back")
    until(lambda: pager.heard("timeline", "Deployed", "worker-1", "firing"), 90, "the timeline knows of no start")


def test_the_alert_stands_in_prometheus_with_the_page_of_its_cure(observed, pager):
    told = next(alert for _, alert in pager.alerts if alert["labels"]["alertname"] == "ServiceDown")
    assert told["annotations"]["page"] == "docs/shutdown.md"
    assert (Path(__file__).parents[2] / told["annotations"]["page"]).is_file()


@pytest.fixture(scope="module")
def used(observed) -> Stack:
    """The stack after waves of work, far enough apart that a rate sees them, and records that are no requests."""
    outside = Outside(observed.kafka_bootstrap)
    for wave in range(3):
        for priority in ("critical", "high", "standard"):
            submit(observed, f"The house number {wave} is {priority} and green.", priority)
        outside.send_bytes("translation.requests.standard", f"rubbish-{wave}", b"no Avro")
        time.sleep(3 * SCRAPE_SECONDS)
    return observed


def submit(stack: Stack, text: str, priority: str) -> None:
    body = {"text": text, "source_language": "en", "target_language": "pt", "priority": priority}
    url = f"{stack.http_url}/api/v1/translations?wait=60"
    answered = httpx.post(url, json=body, headers=stack.headers, timeout=70)
    assert answered.status_code == 200, answered.text


@pytest.mark.parametrize("panel", PROMQL, ids=lambda panel: panel.title)
def test_every_promql_of_grafana_has_an_answer_that_is_a_number(used, panel):
    def numbers() -> list[float]:
        found = answer(used, asked_of_prometheus(panel.promql))
        return [float(one["value"][1]) for one in found]

    # `repair` compares once a minute; all else is there after some scrapes.
    until(lambda: any(not math.isnan(one) for one in numbers()), 90, f"no number: {panel.promql}")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

"""Start the whole platform on one machine for the end-to-end tests, once, by the command that users run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.clickhouse.client import AnalyticsClient
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from tests.accounts import local_key
from tests.freezing import frozen
from tests.scheduling import uses_stack
from tests.servers import LIBRARIES

_SINK_SECONDS = 30.0
_running: list[Path] = []
"""The root of the stack, while it runs."""


@dataclass(frozen=True)
class Stack:
    """A running stack, seen from outside."""

    root: Path

    @property
    def kafka_bootstrap(self) -> str:
        """Return host:port."""
        return read_run(self.root).kafka_bootstrap

    @property
    def http_url(self) -> str:
        """Return the base URL of the HTTP API, without a path."""
        return read_run(self.root).http_url

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that shows the operator's key."""
        return local_key(self.root)

    def pid(self, name: str) -> int:
        """Return the current process id of that name."""
        return read_run(self.root).processes[name]

    def wait_for_restart(self, name: str, old_pid: int, timeout_seconds: float = 60.0) -> None:
        """Wait until run.json names another process."""
        end = time.monotonic() + timeout_seconds
        while read_run(self.root).processes.get(name) in (None, old_pid):
            assert time.monotonic() < end, f"{name} was not restarted"
            time.sleep(0.1)

    def metric(self, process: str, name: str) -> float:
        """Return the sum of a metric over all labels and all processes whose names begin with `process`."""
        found = 0.0
        for instance, url in read_run(self.root).health_urls.items():
            if instance.startswith(process):
                lines = httpx.get(f"{url}/metrics", timeout=5).text.splitlines()
                found += sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))
        return found

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Stop these processes (SIGSTOP) inside the context."""
        with frozen([self.pid(name) for name in names]):
            yield

    def analytics(self) -> "Analytics":
        """Return a client of ClickHouse."""
        run = read_run(self.root)
        return Analytics(AnalyticsClient(run.analytics_url, run.analytics_token()))


@dataclass(frozen=True)
class Analytics:
    """Queries ClickHouse; waits for the sink, which is a second or two behind."""

    client: AnalyticsClient

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of one query."""
        return self.client.query(sql)

    def billed(self, request_ids: Sequence[str]) -> tuple[int, int]:
        """Return rows and words billed for these requests, once each has a row or the time is over."""
        names = ", ".join(f"'{request_id}'" for request_id in request_ids)
        sql = (
            "SELECT toUInt32(count()) AS found, toUInt32(sum(source_words)) AS words FROM usage_events "
            f"WHERE kind = 'billed' AND request_id IN ({names})"
        )
        end = time.monotonic() + _SINK_SECONDS
        while True:
            (row,) = self.rows(sql)
            if int(row["found"]) >= len(request_ids) or time.monotonic() > end:
                return int(row["found"]), int(row["words"])
            time.sleep(0.5)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start two workers and one of everything else."""
    root = tmp_path_factory.mktemp("stack")
    _running.append(root)
    up(StackSettings(root=root, kafka_libraries=LIBRARIES), detach=True, on_progress=lambda name, state: None)
    try:
        yield Stack(root)
    finally:
        _stop()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the stack after its last test: idle, it takes a fifth of a core from the tests that follow."""
    if uses_stack(item.nodeid) and not (nextitem and uses_stack(nextitem.nodeid)):
        _stop()


def _stop() -> None:
    while _running:
        down(_running.pop())

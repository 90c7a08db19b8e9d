"""The real stack under chaos: started by the supervisor that users run; finds its processes by role."""

import os
import signal
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import httpx

from deploy.local.background import start_in_background
from deploy.local.errors import StackError
from deploy.local.main import down, is_running, read_run, scale
from deploy.local.settings import StackSettings
from deploy.local.stack_run import OnStateChange
from deploy.local.state_files import RunInfo
from tests.accounts import local_key
from tests.chaos.processes import processes_left
from tests.chaos.staging import command, role_of
from tests.servers import LIBRARIES

WORKERS = 2

_HTTP_SECONDS = 15.0
_STOP_SECONDS = 90.0
_POLL_SECONDS = 0.1


class ChaosStack:
    """One stack in a root of its own."""

    def __init__(self, root: Path, control: str) -> None:
        self.root = root
        self.refusal = root / "refusal"
        self._control = control

    def start(self, on_progress: OnStateChange) -> None:
        """Start it; return when every process is ready. Raises StackError."""
        settings = StackSettings(
            root=self.root, workers=WORKERS, assemblies=2, intakes=2, kafka_libraries=LIBRARIES
        )
        start_in_background(settings, on_progress, command(self.refusal, self._control))

    def run(self) -> RunInfo:
        """Return the current addresses and processes."""
        return read_run(self.root)

    def client(self) -> httpx.Client:
        """Return a client of the HTTP interface, with an operator's key; the caller closes it."""
        return httpx.Client(base_url=self.run().http_url, headers=local_key(self.root), timeout=_HTTP_SECONDS)

    def processes(self, role: str) -> dict[str, int]:
        """Return the names and ids of the live processes of that role."""
        return self._by_role().get(role, {})

    def roles(self) -> set[str]:
        """Return every role that has a live process."""
        return set(self._by_role())

    def scale(self, workers: int) -> None:
        """Request that many workers."""
        with suppress(StackError):
            scale(self.root, workers)

    def stop(self) -> list[int]:
        """Stop the supervisor; return the processes it left behind, which are then killed."""
        with suppress(StackError, ProcessLookupError):
            os.kill(self.run().supervisor_pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        while is_running(self.root) and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        left = processes_left(self.root)
        down(self.root)
        return left

    def _by_role(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for name, process in sorted(self.run().processes.items()):
            found[role_of(name)][name] = process
        return found

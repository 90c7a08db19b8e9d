"""Run the state server with append-only files that a test kills, damages and starts again."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis

from deploy.local.stack import server_binary, state_command
from tests.ports import free_port

Ended = subprocess.CompletedProcess[str]


class State:
    """A state server of its own, started as the one-machine stack starts it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.files = data / "appendonlydir"
        self.port = free_port()
        self.command = state_command(server_binary(), self.port, data)
        self.client = redis.Redis(port=self.port)
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it has loaded its files."""
        # SIGXFSZ stays ignored: a file at its limit is then as a full disk is.
        self.server = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, restore_signals=False)
        self.until(self.answers)

    def run(self, *more: str, command: tuple[str, ...] = (), **environment: str) -> Ended:
        """Run it until it ends by itself."""
        whole, variables = (*(command or self.command), *more), {**os.environ, **environment}
        return subprocess.run(whole, env=variables, capture_output=True, text=True, timeout=30, check=False)

    def kill(self) -> None:
        if self.server:
            self.server.kill()
            self.server.wait()
            self.client.close()

    def answers(self) -> bool:
        assert self.server is not None
        assert self.server.poll() is None, "the server ended"
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def rewrite(self) -> None:
        """Write a snapshot, and start a new file for what comes after it."""
        self.client.bgrewriteaof()
        self.until(lambda: self.increment.name.endswith(".2.incr.aof") and not self.is_rewriting())

    def is_rewriting(self) -> bool:
        return bool(self.client.info("persistence")["aof_rewrite_in_progress"])

    def until(self, is_so: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < end
            time.sleep(0.02)

    @property
    def increment(self) -> Path:
        return max(self.files.glob("*.incr.aof"))

    @property
    def snapshot(self) -> Path:
        return next(self.files.glob("*.base.rdb"))

    @property
    def manifest(self) -> Path:
        return self.files / "appendonly.aof.manifest"

    def aside(self) -> list[Path]:
        return sorted(self.data.glob("appendonlydir.unreadable-*"))

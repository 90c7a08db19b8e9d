"""Which port each process gets: the one it had in the run before if that is free, so that addresses keep."""

import hashlib
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.atomic_file import write_atomically
from deploy.local.failures import StackError
from deploy.local.readiness import HOST

FIRST_PORT = 20_000
LAST_PORT = 32_767
"""Below the range that systems take client ports from. A port inside it can be lost while its process
restarts, and a client that reconnects to it in a loop can end up connected to itself."""


class PortBook:
    """Gives ports by process name, none twice. Not thread-safe."""

    def __init__(self, start: int, previous: Mapping[str, int], is_free: Callable[[int], bool]) -> None:
        self._next = start
        self._previous = dict(previous)
        self._is_free = is_free
        self._given: dict[str, int] = {}

    @property
    def given(self) -> dict[str, int]:
        """All that were given, by name."""
        return dict(self._given)

    def port(self, name: str) -> int:
        """The same for the same name. Raises StackError when no port is left."""
        if name not in self._given:
            self._given[name] = self._choose(name)
        return self._given[name]

    def fixed(self, name: str, port: int, setting: str) -> int:
        """The port the user chose; 0 leaves the choice to the book. Raises StackError if it is taken."""
        if port == 0 or self._given.get(name) == port:
            return self.port(name)
        if port in self._taken() or not self._is_free(port):
            raise StackError(f"{setting}: port {port} is taken", "choose another, or 0 for any that is free")
        self._given[name] = port
        return port

    def _choose(self, name: str) -> int:
        previous = self._previous.get(name)
        if previous and previous not in self._given.values() and self._is_free(previous):
            return previous
        for _ in range(LAST_PORT - FIRST_PORT + 1):
            port, self._next = self._next, self._next + 1 if self._next < LAST_PORT else FIRST_PORT
            if port not in self._taken() and self._is_free(port):
                return port
        raise StackError(f"no port between {FIRST_PORT} and {LAST_PORT} is free for {name}")

    def _taken(self) -> set[int]:
        return {*self._given.values(), *self._previous.values()}


def open_port_book(root: Path) -> PortBook:
    """The book of this root; what it gave before is in `ports.json`."""
    path = _path(root)
    previous = json.loads(path.read_text()) if path.exists() else {}
    return PortBook(first_port_of(root), previous, is_port_free)


def save_port_book(root: Path, book: PortBook) -> None:
    """For the next run."""
    write_atomically(_path(root), json.dumps(book.given, indent=2))


def first_port_of(root: Path) -> int:
    """Where the search begins: another place for another root, so that two stacks seldom meet."""
    digest = hashlib.blake2b(str(root).encode(), digest_size=4).digest()
    return FIRST_PORT + int.from_bytes(digest) % (LAST_PORT - FIRST_PORT + 1)


def is_port_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _path(root: Path) -> Path:
    return root / "ports.json"

"""What the machine must have before anything starts; each lack is named with its cure.

Which port each process gets: the one it had in the run before if that is free, so that addresses keep.
"""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.kafka_files import has_jars
from deploy.local.process_spec import is_port_free
from deploy.local.settings import StackSettings
from deploy.local.state_files import write_atomically

_OLDEST_JAVA = 17
_MEGABYTE = 1_000_000
_INSTALL_JAVA = "install a JDK 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"


def check_machine(settings: StackSettings) -> None:
    """Raises StackError for the first thing that lacks: Java, Maven, space."""
    _check_java()
    if not has_jars(settings.libraries) and shutil.which("mvn") is None:
        raise StackError("no mvn found; Maven fetches Kafka the first time", "install it (apt-get install maven)")
    settings.root.mkdir(parents=True, exist_ok=True)
    free_megabytes = shutil.disk_usage(settings.root).free // _MEGABYTE
    if free_megabytes < settings.minimum_free_megabytes:
        raise StackError(
            f"{settings.root} has {free_megabytes} MB free, {settings.minimum_free_megabytes} are needed",
            "free some space, or choose another root",
        )


def _check_java() -> None:
    if shutil.which("java") is None:
        raise StackError("no java found; Kafka needs it", _INSTALL_JAVA)
    said = subprocess.run(("java", "-version"), capture_output=True, text=True, check=False).stderr
    version = java_version(said)
    if version is not None and version < _OLDEST_JAVA:
        raise StackError(f"java is version {version}", _INSTALL_JAVA)


def java_version(said: str) -> int | None:
    """The feature release in what `java -version` says: 17 of "17.0.15", 8 of "1.8.0"; None if not found."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else None


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


def _path(root: Path) -> Path:
    return root / "ports.json"

"""Check what the stack needs of the machine: tools, disk space, and a port for each process.

A missing tool is named with its cure. A process gets the port of the previous run if that is free, so that
addresses stay the same over restarts.
"""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.kafka_broker import has_jars
from deploy.local.process_spec import is_port_free
from deploy.local.settings import StackSettings
from deploy.local.state_files import write_atomically

_OLDEST_JAVA = 17
_MEGABYTE = 1_000_000
_INSTALL_JAVA = "install a JDK 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"

FIRST_PORT = 20_000
LAST_PORT = 32_767
"""Below the range from which systems take client ports. A port inside that range can be lost while its process
restarts, and a client that reconnects to it in a loop can end up connected to itself."""


def check_machine(settings: StackSettings) -> None:
    """Raise StackError for the first thing that is missing: Java, Maven or disk space."""
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


def java_version(output: str) -> int | None:
    """Read the feature release from the output of `java -version`: 17 of "17.0.15", 8 of "1.8.0", else None."""
    found = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(found[1]) if found else None


class PortBook:
    """Assigns ports to process names, no port twice. Not thread-safe."""

    def __init__(self, start: int, previous: Mapping[str, int], is_free: Callable[[int], bool]) -> None:
        self._next = start
        self._previous = dict(previous)
        self._is_free = is_free
        self._assigned: dict[str, int] = {}

    @property
    def assigned(self) -> dict[str, int]:
        """Return all ports assigned so far, by name."""
        return dict(self._assigned)

    def port(self, name: str) -> int:
        """Return the port of that name, the same at every call. Raises StackError when no port is left."""
        if name not in self._assigned:
            self._assigned[name] = self._choose(name)
        return self._assigned[name]

    def fixed(self, name: str, port: int, setting: str) -> int:
        """Assign the port chosen in `setting`; 0 lets the book choose. Raises StackError if it is taken."""
        if port == 0 or self._assigned.get(name) == port:
            return self.port(name)
        if port in self._assigned.values() or not self._is_free(port):
            raise StackError(f"{setting}: port {port} is taken", "choose another, or 0 for any that is free")
        self._assigned[name] = port
        return port

    def _choose(self, name: str) -> int:
        previous = self._previous.get(name)
        if previous and previous not in self._assigned.values() and self._is_free(previous):
            return previous
        for _ in range(LAST_PORT - FIRST_PORT + 1):
            port, self._next = self._next, self._next + 1 if self._next < LAST_PORT else FIRST_PORT
            if port not in self._reserved() and self._is_free(port):
                return port
        raise StackError(f"no port between {FIRST_PORT} and {LAST_PORT} is free for {name}")

    def _reserved(self) -> set[int]:
        return {*self._assigned.values(), *self._previous.values()}


def open_port_book(root: Path) -> PortBook:
    """Open the book of this root; the ports of the previous run are in `ports.json`."""
    return PortBook(first_port_of(root), _previous_ports(root), is_port_free)


def save_port_book(root: Path, book: PortBook) -> None:
    """Save the assigned ports for the next run."""
    write_atomically(_ports_path(root), json.dumps(book.assigned, indent=2))


def first_port_of(root: Path) -> int:
    """Return the port at which the search begins; it differs by root, so that two stacks seldom collide."""
    digest = hashlib.blake2b(str(root).encode(), digest_size=4).digest()
    return FIRST_PORT + int.from_bytes(digest) % (LAST_PORT - FIRST_PORT + 1)


def _check_java() -> None:
    if shutil.which("java") is None:
        raise StackError("no java found; Kafka needs it", _INSTALL_JAVA)
    output = subprocess.run(("java", "-version"), capture_output=True, text=True, check=False).stderr
    version = java_version(output)
    if version is not None and version < _OLDEST_JAVA:
        raise StackError(f"java is version {version}", _INSTALL_JAVA)


def _previous_ports(root: Path) -> dict[str, int]:
    # A machine that lost its power may leave an empty file; other ports are no harm.
    try:
        return {str(name): int(port) for name, port in json.loads(_ports_path(root).read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _ports_path(root: Path) -> Path:
    return root / "ports.json"

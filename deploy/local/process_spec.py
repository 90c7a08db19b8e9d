"""Specify one process of the stack: its command, when it is ready, when it is restarted, where it logs."""

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from io import FileIO
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from urllib.parse import urlsplit

from stream_apps.runtime.retry import RetryPolicy

HOST = "127.0.0.1"
_ROTATE_BYTES = 32_000_000
_TAIL_BYTES = 16_000


class ProcessState(StrEnum):
    """The state of a process, as shown to the user."""

    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class TcpOpen:
    """Ready when it accepts connections. Kafka opens its port when it has finished starting."""

    port: int


@dataclass(frozen=True)
class AnswersPing:
    """Ready when it answers PING with PONG. A Valkey that still loads its file accepts connections, too."""

    port: int


@dataclass(frozen=True)
class AnswersOk:
    """Ready when a GET of the URL returns 200."""

    url: str


@dataclass(frozen=True)
class Completes:
    """A one-shot process: done when it exits with 0."""


ReadyCheck = TcpOpen | AnswersPing | AnswersOk | Completes


@dataclass(frozen=True)
class RestartPolicy:
    """When a process that ended is restarted, in seconds. A long enough run clears the failures before it."""

    pauses: RetryPolicy = field(default_factory=lambda: RetryPolicy(0.5, 30.0, spread=0.3))
    stable_after_seconds: float = 30.0
    start_attempts: int = 3

    def failures_in_a_row(self, before: int, lived_seconds: float) -> int:
        """Count the short runs in a row, the one that has just ended included."""
        return 1 if lived_seconds >= self.stable_after_seconds else before + 1


@dataclass(frozen=True)
class ProcessSpec:
    """One process. Stages start in ascending order, each when the one before is ready, and stop in reverse.

    `environment` is added to the environment of the supervisor. `niceness`: 0 to 19, as in nice(1).
    `is_forked`: where a template process runs, it is forked from it; `command` is a `python_command` then.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    ready: ReadyCheck
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_timeout_seconds: float = 60.0
    stop_timeout_seconds: float = 10.0
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    niceness: int = 0
    is_forked: bool = False


def stages_of(specs: Sequence[ProcessSpec]) -> list[list[ProcessSpec]]:
    """Group the specs by ascending stage; within a stage they keep their order."""
    by_stage = attrgetter("stage")
    return [list(stage) for _, stage in groupby(sorted(specs, key=by_stage), key=by_stage)]


async def is_ready(check: ReadyCheck, timeout_seconds: float = 2.0) -> bool:
    """Check once. False for a refused connection, another answer, or none within the timeout."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _check_once(check)
    except OSError:  # TimeoutError is one
        return False


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen on that port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class ProcessLog:
    """The log file of one process, `NAME.log`: appended over restarts, bounded while the process runs.

    Bounded because a process writes one line for each dead letter, and a flood of them must not fill the disk.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.log"
        self._start_at_byte = 0

    def open_for_start(self) -> FileIO:
        """Open the file for the standard output and error of a new start; the caller closes its copy."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.rotate()
        self._start_at_byte = self._size()
        return FileIO(self.path, "a")

    def rotate(self) -> None:
        """Move the content to `NAME.log.1` when it is too long.

        The process keeps writing to the same file, which it only appends to; a line that it writes at this very
        moment is lost.
        """
        if self._size() > _ROTATE_BYTES:
            copy = self.path.with_suffix(".log.1")
            try:
                shutil.copyfile(self.path, copy)
            except OSError:
                # On a full disk the bound matters more than old lines, and half a copy is none.
                copy.unlink(missing_ok=True)
            os.truncate(self.path, 0)
            self._start_at_byte = 0

    def last_lines(self, count: int = 20) -> list[str]:
        """Return the last lines that the process wrote since its latest start."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(max(self._start_at_byte, self._size() - _TAIL_BYTES), os.SEEK_SET)
            return file.read().decode(errors="replace").splitlines()[-count:]

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


async def _check_once(check: ReadyCheck) -> bool:
    match check:
        case TcpOpen(port):
            await _first_line(port, b"")
            return True
        case AnswersPing(port):
            return (await _first_line(port, b"PING\r\n")).startswith(b"+PONG")
        case AnswersOk(url):
            address = urlsplit(url)
            request = f"GET {address.path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n"
            return b" 200 " in await _first_line(address.port or 80, request.encode())
        case Completes():
            return False


async def _first_line(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        if not request:
            return b""
        writer.write(request)
        return await reader.readline()
    finally:
        writer.close()

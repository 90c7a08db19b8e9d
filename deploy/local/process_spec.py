"""How the supervisor knows that a process can do its job.

When a process that ended is started again. Pure: time and chance are arguments.

What a process of the stack is, before it runs.

One log file per process of the stack: `logs/NAME.log`, appended over restarts, bounded while it lives.

A process writes one line for each dead letter, so a flood of them must not fill the disk.
"""

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


@dataclass(frozen=True)
class TcpOpen:
    """It accepts connections. Kafka opens its port when it has finished starting."""

    port: int


@dataclass(frozen=True)
class AnswersPing:
    """It answers PING with PONG. While Valkey loads its file it accepts connections but answers LOADING."""

    port: int


@dataclass(frozen=True)
class AnswersOk:
    """GET of the URL answers 200."""

    url: str


@dataclass(frozen=True)
class Completes:
    """A one-shot process: it exits with 0."""


ReadyCheck = TcpOpen | AnswersPing | AnswersOk | Completes


async def is_ready(check: ReadyCheck, timeout_seconds: float = 2.0) -> bool:
    """Asks once. False for a refusal, another answer, or none in time."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _ask(check)
    except OSError:  # TimeoutError is one
        return False


async def _ask(check: ReadyCheck) -> bool:
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


@dataclass(frozen=True)
class RestartPolicy:
    """When a process that ended is started again; a stable life makes up for failures before it. Seconds."""

    pauses: RetryPolicy = field(default_factory=lambda: RetryPolicy(0.5, 30.0, spread=0.3))
    stable_after_seconds: float = 30.0
    start_attempts: int = 3

    def failures_in_a_row(self, before: int, lived_seconds: float) -> int:
        """Count the short lives in a row, this one included."""
        return 1 if lived_seconds >= self.stable_after_seconds else before + 1


class ProcessState(StrEnum):
    """Where a process is in its life, as shown to the user."""

    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class ProcessSpec:
    """One process. Stages start in ascending order, each when the one before is ready, and stop in reverse.

    `environment` is added to what the supervisor was started with. `niceness`: 0 to 19, as nice(1) has it.
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


def stages_of(specs: Sequence[ProcessSpec]) -> list[list[ProcessSpec]]:
    """The specs by ascending stage; in a stage, in the order given."""
    by_stage = attrgetter("stage")
    return [list(stage) for _, stage in groupby(sorted(specs, key=by_stage), key=by_stage)]


_ROTATE_BYTES = 32_000_000
_TAIL_BYTES = 16_000


class ProcessLog:
    """The file of one process. Only what the present life wrote counts for its tail."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.log"
        self._life_begins_at = 0

    def open_life(self) -> FileIO:
        """For standard output and error of the next life; the caller closes its copy."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.set_aside()
        self._life_begins_at = self._size()
        return FileIO(self.path, "a")

    def set_aside(self) -> None:
        """What is too long becomes `NAME.log.1`. The process goes on in the same file, which it only appends to;
        a line that it writes in this very moment is lost.
        """
        if self._size() > _ROTATE_BYTES:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            os.truncate(self.path, 0)
            self._life_begins_at = 0

    def last_lines(self, count: int = 20) -> list[str]:
        """What the present life said last."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(max(self._life_begins_at, self._size() - _TAIL_BYTES), os.SEEK_SET)
            return file.read().decode(errors="replace").splitlines()[-count:]

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


def is_port_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

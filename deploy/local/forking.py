"""Start processes by forking them from a template, which has imported what they need (`deploy.local.template`)."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.local import launch
from deploy.local.process_spec import ProcessLog

# A machine with a hundred other things to do needs a minute for the imports.
_START_SECONDS = 120.0
_END_SECONDS = 5.0
_MODULE_AT = 3


@dataclass(frozen=True)
class ForkedProcess:
    """A child of the template, with what the supervisor uses of asyncio's Process."""

    pid: int
    _ended: "asyncio.Future[int]" = field(repr=False)

    async def wait(self) -> int:
        """Return the exit code when the process has ended; the negative number of the signal that ended it."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Send the signal. Raises ProcessLookupError when the process has ended."""
        if self._ended.done():
            raise ProcessLookupError(self.pid)
        os.kill(self.pid, number)


class Template:
    """One template process at a time, started when it is needed and again when it died. Use with `async with`.

    `command` runs the template; `environment` is its own, and shows to whom it belongs.
    """

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], log: ProcessLog) -> None:
        self._command = launch.tied(command)
        self._environment = environment
        self._log = log
        self._numbers = count()
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ordered: dict[int, asyncio.Future[ForkedProcess]] = {}
        self._alive: dict[int, asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the template, unless it runs. Returns before its imports are done. Raises OSError."""
        async with self._starting:
            if self._process is not None:
                return
            with self._log.open_for_start() as errors:
                self._process = await self._executed(errors)
            self._listening = asyncio.create_task(self._listen(self._process), name="listen to the template")

    async def fork(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], output: Path, niceness: int
    ) -> ForkedProcess:
        """Fork a process that runs `command`, a `python_command` with its arguments, and appends to `output`.

        Raises OSError when the template ends or does not answer.
        """
        await self.start()
        number = next(self._numbers)
        started: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._ordered[number] = started
        module, *arguments = command[_MODULE_AT:]
        order = {"number": number, "name": name, "module": module, "arguments": arguments}
        order |= {"environment": dict(environment), "output": str(output.resolve()), "niceness": niceness}
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._send(order)
                return await started
        except TimeoutError:
            raise OSError(f"the template process did not answer in {_START_SECONDS:g} s") from None
        except ConnectionError:
            raise self._gone() from None
        finally:
            # Whatever ended the wait: a child that nobody has heard of is killed as it starts.
            started.cancel()

    async def close(self) -> None:
        """End the template, and with it the children that still run."""
        if process := self._process:
            assert process.stdin
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _END_SECONDS)
            except TimeoutError:  # it still imports
                process.kill()
        if self._listening:
            await self._listening

    async def _executed(self, errors: FileIO) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            env=dict(self._environment),
            start_new_session=True,
        )

    async def _send(self, order: Mapping[str, Any]) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    async def _listen(self, process: Process) -> None:
        assert process.stdout
        while line := await process.stdout.readline():
            # Whatever an import prints is no report, and must not end the hearing of all others.
            if report := _report_in(line):
                self._hear(report)
        self._process = None
        self._lose_all()
        await process.wait()

    def _hear(self, report: Mapping[str, int]) -> None:
        if "ended" in report:
            self._alive.pop(report["ended"]).set_result(report["code"])
            return
        pid = report["pid"]
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._alive[pid] = ended
        started = self._ordered.pop(report["number"])
        if started.done():  # whoever ordered it waits no longer
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        else:
            started.set_result(ForkedProcess(pid, ended))

    def _lose_all(self) -> None:
        """Tell everybody that the template has ended, which ends its children."""
        for started in self._ordered.values():
            if not started.done():
                started.set_exception(self._gone())
        for ended in self._alive.values():
            ended.set_result(-signal.SIGKILL)
        self._ordered.clear()
        self._alive.clear()

    def _gone(self) -> OSError:
        return OSError(f"the template process ended; its log: {self._log.path}")


def _report_in(line: bytes) -> dict[str, int]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""Keeps one named process alive: starts it, starts it again when it ends, stops it with all it started.

Runs all processes of the stack: stage by stage up, in reverse down, restarted in between.
"""

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local import launch
from deploy.local.errors import StackError, never_ready
from deploy.local.process_spec import (
    Completes,
    ProcessLog,
    ProcessSpec,
    ProcessState,
    is_ready,
    stages_of,
)

_ASK_AGAIN_SECONDS = 0.1
_LOOK_AT_LOG_SECONDS = 5.0

Observer = Callable[[str, ProcessState, int | None], None]
"""Told of every change: name, state, process id while there is one."""


@dataclass(frozen=True)
class Surroundings:
    """What all processes of a stack share: where they log, and the environment they inherit."""

    logs: Path
    environment: Mapping[str, str]
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


class ProcessSupervisor:
    """One process over its restarts. Not for use by several tasks at once."""

    def __init__(self, spec: ProcessSpec, surroundings: Surroundings, observe: Observer) -> None:
        self.spec = spec
        self._surroundings = surroundings
        self._observe = observe
        self._log = ProcessLog(surroundings.logs, spec.name)
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._was_ready = asyncio.Event()

    async def start(self) -> None:
        """Returns when the process is ready, or done. Raises StackError when it never gets there."""
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")
        ready = asyncio.create_task(self._was_ready.wait())
        try:
            await asyncio.wait({self._keeping, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._keeping.done():
            self._keeping.result()

    async def stop(self) -> None:
        """SIGTERM, time to finish, SIGKILL for what is left of its group."""
        if self._keeping is None or (self._keeping.done() and self._process is None):
            return
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process is not None:
            self._tell(ProcessState.STOPPING)
            await _end(self._process, self.spec.stop_timeout_seconds)
            self._process = None
        self._tell(ProcessState.STOPPED)

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = self._surroundings.clock()
            exit_code = await self._live()
            if exit_code == 0 and isinstance(self.spec.ready, Completes):
                self._became(ProcessState.DONE)
                return
            # Before it was ready once, no life counts as stable: a start must end.
            lived_seconds = self._surroundings.clock() - began if self._was_ready.is_set() else 0.0
            failures = self.spec.restart.failures_in_a_row(failures, lived_seconds)
            if not self._was_ready.is_set() and failures >= self.spec.restart.start_attempts:
                raise self._gives_up(f"ended {failures} times before it was ready, last with code {exit_code}")
            self._tell(ProcessState.RESTARTING)
            await asyncio.sleep(self.spec.restart.pauses.pause_seconds(failures, self._surroundings.chance()))

    async def _live(self) -> int:
        """One life, from start to exit code."""
        try:
            process = self._process = await self._spawn()
        except OSError as error:
            if not self._was_ready.is_set():
                raise StackError(f"cannot start {self.spec.name}: {error}") from error
            return launch.CANNOT_RUN
        self._tell(ProcessState.STARTING)
        exit_code = await self._watch(process)
        _kill_group(process.pid)
        self._process = None
        return exit_code

    async def _watch(self, process: Process) -> int:
        readiness = asyncio.create_task(self._await_readiness(process))
        exited = asyncio.create_task(process.wait())
        bounding = asyncio.create_task(self._bound_log())
        try:
            await asyncio.wait({readiness, exited}, return_when=asyncio.FIRST_COMPLETED)
            if readiness.done():
                readiness.result()
            return await exited
        finally:
            readiness.cancel()
            exited.cancel()
            bounding.cancel()

    async def _bound_log(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_LOG_SECONDS)
            # On a thread: copying takes a moment, and who waits here supervises.
            await asyncio.to_thread(self._log.set_aside)

    async def _spawn(self) -> Process:
        launcher = (sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(self.spec.niceness))
        with self._log.open_life() as output:
            return await asyncio.create_subprocess_exec(
                *launcher,
                *self.spec.command,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                env={**self._surroundings.environment, **self.spec.environment},
                start_new_session=True,
            )

    async def _await_readiness(self, process: Process) -> None:
        """Too late the first time: gives up. Too late after a restart: kills it, so that it is restarted."""
        try:
            async with asyncio.timeout(self.spec.ready_timeout_seconds):
                while not await is_ready(self.spec.ready):
                    await asyncio.sleep(_ASK_AGAIN_SECONDS)
        except TimeoutError:
            if not self._was_ready.is_set():
                raise self._gives_up(f"was not ready in {self.spec.ready_timeout_seconds:g} s") from None
            _kill_group(process.pid)
        else:
            self._became(ProcessState.READY)

    def _became(self, state: ProcessState) -> None:
        self._was_ready.set()
        self._tell(state)

    def _gives_up(self, reason: str) -> StackError:
        self._tell(ProcessState.FAILED)
        return never_ready(self.spec.name, reason, self._log.path, self._log.last_lines())

    def _tell(self, state: ProcessState) -> None:
        self._observe(self.spec.name, state, self._process.pid if self._process else None)


async def _end(process: Process, timeout_seconds: float) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), timeout_seconds)
    _kill_group(process.pid)
    await process.wait()


def _kill_group(leader_pid: int) -> None:
    """Also the grandchildren: each process leads a group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(leader_pid, signal.SIGKILL)


class StackSupervisor:
    """Its processes end with it, however it ends. Call from one task at a time."""

    def __init__(self, surroundings: Surroundings, observe: Observer) -> None:
        self._surroundings = surroundings
        self._observe = observe
        self._supervisors: dict[str, ProcessSupervisor] = {}

    async def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Returns when all are ready. Raises StackError naming the first that is not; then call `stop`."""
        for stage in stages_of(specs):
            supervisors = [ProcessSupervisor(spec, self._surroundings, self._observe) for spec in stage]
            self._supervisors |= {supervisor.spec.name: supervisor for supervisor in supervisors}
            await _start_together(supervisors)

    async def change_to(self, specs: Sequence[ProcessSpec]) -> None:
        """Stops what `specs` does not name, starts what is new in it, leaves the rest alone.

        Raises StackError naming a process that did not get ready; that one is stopped, the others run on.
        """
        wanted = {spec.name for spec in specs}
        await self._stop([supervisor for name, supervisor in self._supervisors.items() if name not in wanted])
        added = [spec for spec in specs if spec.name not in self._supervisors]
        try:
            await self.start(added)
        except StackError:
            await self._stop([self._supervisors[spec.name] for spec in added if spec.name in self._supervisors])
            raise

    async def restart(self, name: str) -> None:
        """Stops that process and starts it again; returns when it is ready. Raises StackError when it is not."""
        supervisor = self._supervisors.get(name)
        if supervisor is None:
            return
        await self._stop([supervisor])
        await self.start([supervisor.spec])

    async def stop(self) -> None:
        """Stops all, the last stage first; a stage together. Returns when none is left."""
        specs = [supervisor.spec for supervisor in self._supervisors.values()]
        for stage in reversed(stages_of(specs)):
            await self._stop([self._supervisors[spec.name] for spec in stage])

    async def _stop(self, supervisors: Iterable[ProcessSupervisor]) -> None:
        stopping = list(supervisors)
        await asyncio.gather(*(supervisor.stop() for supervisor in stopping))
        for supervisor in stopping:
            del self._supervisors[supervisor.spec.name]


async def _start_together(supervisors: Iterable[ProcessSupervisor]) -> None:
    starts = [asyncio.create_task(supervisor.start()) for supervisor in supervisors]
    try:
        done, _ = await asyncio.wait(starts, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for start in starts:
            start.cancel()
    if failures := [error for start in done if (error := start.exception())]:
        raise failures[0]

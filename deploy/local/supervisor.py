"""Keep processes alive: ProcessSupervisor for one, StackSupervisor for all of a stack, stage by stage."""

import asyncio
import os
import random
import signal
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local import launch
from deploy.local.errors import StackError, never_ready
from deploy.local.forking import Template
from deploy.local.process_spec import (
    Completes,
    ProcessLog,
    ProcessSpec,
    ProcessState,
    is_ready,
    stages_of,
)

_READY_POLL_SECONDS = 0.1
_LOG_CHECK_SECONDS = 5.0

OnProcessState = Callable[[str, ProcessState, int | None], None]
"""Called at every change with the name, the new state, and the process id while there is a process."""


class RunningProcess(Protocol):
    """What the supervisor uses of a process: asyncio's own, or one that a template forked."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """Return the exit code when the process has ended; the negative number of the signal that ended it."""

    def send_signal(self, number: int, /) -> None:
        """Send the signal. Raises ProcessLookupError when the process has ended."""


@dataclass(frozen=True)
class ProcessContext:
    """What all processes of a stack share: the folder of their logs and the environment they inherit.

    Without a template every process is executed.
    """

    logs: Path
    environment: Mapping[str, str]
    template: Template | None = None
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


class ProcessSupervisor:
    """Keeps one process running: starts it, restarts it when it ends, stops it together with its children.

    Not for use by several tasks at once.
    """

    def __init__(self, spec: ProcessSpec, context: ProcessContext, on_state: OnProcessState) -> None:
        self.spec = spec
        self._context = context
        self._on_state = on_state
        self._log = ProcessLog(context.logs, spec.name)
        self._process: RunningProcess | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._was_ready = asyncio.Event()
        self._gives_up = True

    async def start(self) -> None:
        """Start the process and return when it is ready, or done. Raises StackError when it never gets there."""
        supervision = self._begin()
        ready = asyncio.create_task(self._was_ready.wait())
        try:
            await asyncio.wait({supervision, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if supervision.done():
            supervision.result()

    async def restart(self) -> None:
        """Stop the process, start it again, and return when it is ready.

        Raises StackError when it is not ready in time. It worked before, so it is tried on all the same: what it
        needs may be away for a while.
        """
        await self.stop()
        self._was_ready.clear()
        self._gives_up = False
        self._begin()
        try:
            async with asyncio.timeout(self.spec.ready_timeout_seconds):
                await self._was_ready.wait()
        except TimeoutError:
            raise self._never_ready("was not ready in time and is tried on") from None

    async def stop(self) -> None:
        """Send SIGTERM, wait up to the stop timeout, then kill what is left of its process group."""
        if self._supervision is None or (self._supervision.done() and self._process is None):
            return
        self._supervision.cancel()
        await asyncio.gather(self._supervision, return_exceptions=True)
        if self._process is not None:
            self._report(ProcessState.STOPPING)
            await _end(self._process, self.spec.stop_timeout_seconds)
            self._process = None
        self._report(ProcessState.STOPPED)

    def _begin(self) -> asyncio.Task[None]:
        self._supervision = asyncio.create_task(self._supervise(), name=f"supervise {self.spec.name}")
        return self._supervision

    @property
    def _may_give_up(self) -> bool:
        return self._gives_up and not self._was_ready.is_set()

    async def _supervise(self) -> None:
        failures = 0
        while True:
            began = self._context.clock()
            exit_code = await self._run_once()
            if exit_code == 0 and isinstance(self.spec.ready, Completes):
                self._mark_ready(ProcessState.DONE)
                return
            # Before the first time it is ready no run counts as stable, so that a failing start comes to an end.
            lived_seconds = self._context.clock() - began if self._was_ready.is_set() else 0.0
            failures = self.spec.restart.failures_in_a_row(failures, lived_seconds)
            if self._may_give_up and failures >= self.spec.restart.start_attempts:
                raise self._failed(f"ended {failures} times before it was ready, last with code {exit_code}")
            self._report(ProcessState.RESTARTING)
            await asyncio.sleep(self.spec.restart.pauses.pause_seconds(failures, self._context.chance()))

    async def _run_once(self) -> int:
        """Run the process from its start to its end and return the exit code."""
        try:
            process = self._process = await self._spawn()
        except OSError as error:
            if self._may_give_up:
                raise StackError(f"cannot start {self.spec.name}: {error}") from error
            return launch.CANNOT_RUN
        self._report(ProcessState.STARTING)
        exit_code = await self._watch(process)
        _kill_group(process.pid)
        self._process = None
        return exit_code

    async def _watch(self, process: RunningProcess) -> int:
        readiness = asyncio.create_task(self._await_readiness(process))
        exited = asyncio.create_task(process.wait())
        rotation = asyncio.create_task(self._rotate_log())
        try:
            await asyncio.wait({readiness, exited}, return_when=asyncio.FIRST_COMPLETED)
            if readiness.done():
                readiness.result()
            return await exited
        finally:
            readiness.cancel()
            exited.cancel()
            rotation.cancel()

    async def _rotate_log(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_SECONDS)
            # On a thread: copying takes a moment, and this loop supervises all processes.
            await asyncio.to_thread(self._log.rotate)

    async def _spawn(self) -> RunningProcess:
        spec, environment = self.spec, {**self._context.environment, **self.spec.environment}
        with self._log.open_for_start() as output:
            if spec.is_forked and self._context.template:
                return await self._context.template.fork(
                    spec.name, spec.command, environment, self._log.path, spec.niceness
                )
            return await asyncio.create_subprocess_exec(
                *launch.tied(spec.command, spec.niceness),
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )

    async def _await_readiness(self, process: RunningProcess) -> None:
        """Wait until the process is ready.

        At a timeout give up if it was never ready; else kill the process, so that it is restarted.
        """
        try:
            async with asyncio.timeout(self.spec.ready_timeout_seconds):
                while not await is_ready(self.spec.ready):
                    await asyncio.sleep(_READY_POLL_SECONDS)
        except TimeoutError:
            if self._may_give_up:
                raise self._failed(f"was not ready in {self.spec.ready_timeout_seconds:g} s") from None
            _kill_group(process.pid)
        else:
            self._mark_ready(ProcessState.READY)

    def _mark_ready(self, state: ProcessState) -> None:
        self._was_ready.set()
        self._report(state)

    def _failed(self, reason: str) -> StackError:
        self._report(ProcessState.FAILED)
        return self._never_ready(reason)

    def _never_ready(self, reason: str) -> StackError:
        return never_ready(self.spec.name, reason, self._log.path, self._log.last_lines())

    def _report(self, state: ProcessState) -> None:
        self._on_state(self.spec.name, state, self._process.pid if self._process else None)


class StackSupervisor:
    """Keeps all processes of a stack running; they end with it, however it ends. Call from one task at a time."""

    def __init__(self, context: ProcessContext, on_state: OnProcessState) -> None:
        self._context = context
        self._on_state = on_state
        self._supervisors: dict[str, ProcessSupervisor] = {}

    async def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Start the processes stage by stage and return when all are ready.

        Raises StackError naming the first that does not get ready; then call `stop`.
        """
        for stage in stages_of(specs):
            supervisors = [ProcessSupervisor(spec, self._context, self._on_state) for spec in stage]
            self._supervisors |= {supervisor.spec.name: supervisor for supervisor in supervisors}
            await _start_together(supervisors)

    async def change_to(self, specs: Sequence[ProcessSpec]) -> None:
        """Stop what `specs` does not name, start what is new in it, and leave the rest alone.

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
        """Stop that process, start it again, and return when it is ready.

        Raises StackError when it is not ready in time; it is kept running, or tried again, all the same.
        """
        if supervisor := self._supervisors.get(name):
            await supervisor.restart()

    async def stop(self) -> None:
        """Stop all processes, the last stage first, each stage together. Returns when none is left."""
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


async def _end(process: RunningProcess, timeout_seconds: float) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), timeout_seconds)
    _kill_group(process.pid)
    await process.wait()


def _kill_group(leader_pid: int) -> None:
    """Kill the process with all its descendants: each process of the stack leads a group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(leader_pid, signal.SIGKILL)

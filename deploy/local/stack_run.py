"""Run the stack once, from the lock on its root until the last process has stopped."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from typing import Any

from deploy.local.errors import StackError
from deploy.local.forking import Template
from deploy.local.machine import PortBook, open_port_book, save_port_book
from deploy.local.observing import write_observing_files
from deploy.local.process_spec import ProcessLog, ProcessSpec, ProcessState
from deploy.local.root_lock import OWNER_VARIABLE, RootLock, end_leftovers
from deploy.local.settings import StackSettings, inherited_environment
from deploy.local.stack import (
    PRELOADED,
    addresses_of,
    build_processes,
    health_urls_of,
    prepare_folders,
    python_command,
    python_environment,
)
from deploy.local.state_files import RunFile, RunInfo, forget_requests, read_desired, take_restarts
from deploy.local.supervisor import OnProcessState, ProcessContext, StackSupervisor

OnStateChange = Callable[[str, str], None]
"""Called with the name of a process and its new state."""

ProcessPlan = Callable[[StackSettings, PortBook], list[ProcessSpec]]
"""Returns the processes of a stack with these settings and ports."""


class StackRun:
    """Runs once. SIGTERM and SIGINT end it; at SIGHUP it applies the changes requested in the state files."""

    def __init__(
        self, settings: StackSettings, on_progress: OnStateChange, plan: ProcessPlan = build_processes
    ) -> None:
        self._settings = settings
        self._on_progress = on_progress
        self._plan = plan
        self._stop_requested = asyncio.Event()
        self._change_requested = asyncio.Event()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Run until a signal. Raises StackError when the stack cannot start; then nothing is left running."""
        self._listen_to_signals()
        with RootLock(self._settings.root):
            self._clear()
            ports = open_port_book(self._settings.root)
            specs = self._plan(self._settings, ports)
            run_file = RunFile(self._settings.root, self._run_info(ports, specs))
            run_file.write()
            write_observing_files(self._settings, ports, specs)
            try:
                save_port_book(self._settings.root, ports)
                async with AsyncExitStack() as exits:
                    template = await exits.enter_async_context(self._template()) if _forks(specs) else None
                    supervisor = StackSupervisor(self._context(template), self._state_recorder(run_file))
                    exits.push_async_callback(supervisor.stop)
                    await self._start(supervisor, specs)
                    run_file.set_ready()
                    on_ready()
                    await self._apply_changes(supervisor, ports, run_file)
            finally:
                run_file.remove()

    async def _start(self, supervisor: StackSupervisor, specs: list[ProcessSpec]) -> None:
        if not await self._unless_stopped(supervisor.start(specs)):
            raise StackError("stopped before it was ready")

    async def _apply_changes(self, supervisor: StackSupervisor, ports: PortBook, run_file: RunFile) -> None:
        while await self._unless_stopped(self._change_requested.wait()):
            self._change_requested.clear()
            try:
                specs = self._plan(self._desired_settings(), ports)
                save_port_book(self._settings.root, ports)
                write_observing_files(self._settings, ports, specs)
                await self._unless_stopped(supervisor.change_to(specs))
                run_file.set_health_urls(health_urls_of(specs))
            except (StackError, OSError) as error:  # OSError: as below
                _say(f"the number of workers stays as it was: {error}")
            await self._unless_stopped(self._apply_restarts(supervisor))

    async def _apply_restarts(self, supervisor: StackSupervisor) -> None:
        """Restart the requested processes one after the other; stop at the first that does not get ready."""
        try:
            for name in take_restarts(self._settings.root):
                await supervisor.restart(name)
        except (StackError, OSError) as error:
            _say(f"the restart ends: {error}")

    def _desired_settings(self) -> StackSettings:
        desired = read_desired(self._settings.root)
        return (
            self._settings if desired is None else self._settings.model_copy(update={"workers": desired.workers})
        )

    async def _unless_stopped(self, work: Coroutine[Any, Any, object]) -> bool:
        """Do the work, or cancel it at a stop; tell whether it ended. Raises what the work raises."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop_requested.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            working.result()
            return True
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False

    def _clear(self) -> None:
        """Remove what a killed supervisor left, and the old data when a fresh start is wanted."""
        end_leftovers(self._settings.root)
        forget_requests(self._settings.root)
        if self._settings.fresh:
            shutil.rmtree(self._settings.data, ignore_errors=True)
        prepare_folders(self._settings)

    def _run_info(self, ports: PortBook, specs: list[ProcessSpec]) -> RunInfo:
        return RunInfo(
            **asdict(addresses_of(self._settings, ports)),
            data_dir=str(self._settings.data),
            supervisor_pid=os.getpid(),
            started_at=time.time(),
            workers=self._settings.workers,
            max_workers=max(self._settings.workers, self._settings.max_workers),
            health_urls=health_urls_of(specs),
        )

    def _template(self) -> Template:
        command = (*python_command("deploy.local.template"), *PRELOADED)
        environment = {**self._environment(), **python_environment()}
        return Template(command, environment, ProcessLog(self._settings.logs, "template"))

    def _context(self, template: Template | None) -> ProcessContext:
        return ProcessContext(self._settings.logs, self._environment(), template)

    def _environment(self) -> dict[str, str]:
        return {**inherited_environment(), OWNER_VARIABLE: str(self._settings.root)}

    def _state_recorder(self, run_file: RunFile) -> OnProcessState:
        def record(name: str, state: ProcessState, pid: int | None) -> None:
            # A full disk must not end the stack, and with it the processes that nobody would start again.
            with suppress(OSError):
                self._on_progress(name, state.value)
            try:
                run_file.set_process(name, pid)
            except OSError as error:
                _say(f"run.json is out of date: {error}")

        return record

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop_requested.set)
        loop.add_signal_handler(signal.SIGINT, self._stop_requested.set)
        loop.add_signal_handler(signal.SIGHUP, self._change_requested.set)


def _say(line: str) -> None:
    # Standard error is a file on the same disk.
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _forks(specs: list[ProcessSpec]) -> bool:
    # Only Linux can tie a forked child to its parent (deploy/local/launch.py).
    return sys.platform == "linux" and any(spec.is_forked for spec in specs)

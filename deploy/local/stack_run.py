"""One run of the stack, from the lock on its root to the last process stopped."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Any

from deploy.local.errors import StackError
from deploy.local.machine import PortBook, open_port_book, save_port_book
from deploy.local.process_spec import ProcessSpec, ProcessState
from deploy.local.root_lock import OWNER_VARIABLE, RootLock, end_leftovers
from deploy.local.settings import StackSettings, inherited_environment
from deploy.local.stack import addresses_of, build_processes, health_urls_of, prepare_folders
from deploy.local.state_files import RunFile, RunInfo, forget_desired, read_desired, take_wanted_restarts
from deploy.local.supervisor import StackSupervisor, Surroundings

OnStateChange = Callable[[str, str], None]
"""Told the name of a process and its new state."""

ProcessPlan = Callable[[StackSettings, PortBook], list[ProcessSpec]]


class StackRun:
    """Runs once. SIGTERM and SIGINT end it, SIGHUP makes it read what the user wants changed."""

    def __init__(
        self, settings: StackSettings, on_progress: OnStateChange, plan: ProcessPlan = build_processes
    ) -> None:
        self._settings = settings
        self._on_progress = on_progress
        self._plan = plan
        self._stop_wanted = asyncio.Event()
        self._change_wanted = asyncio.Event()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Until a signal. Raises StackError when the stack cannot start; then nothing is left running."""
        self._listen_to_signals()
        with RootLock(self._settings.root):
            self._clear()
            ports = open_port_book(self._settings.root)
            specs = self._plan(self._settings, ports)
            run_file = RunFile(self._settings.root, self._info(ports, specs))
            run_file.write()
            supervisor = StackSupervisor(self._surroundings(), self._observer(run_file))
            try:
                save_port_book(self._settings.root, ports)
                if not await self._unless_stopped(supervisor.start(specs)):
                    raise StackError("stopped before it was ready")
                run_file.set_ready()
                on_ready()
                await self._serve(supervisor, ports, run_file)
            finally:
                await supervisor.stop()
                run_file.remove()

    async def _serve(self, supervisor: StackSupervisor, ports: PortBook, run_file: RunFile) -> None:
        while await self._unless_stopped(self._change_wanted.wait()):
            self._change_wanted.clear()
            try:
                specs = self._plan(self._desired(), ports)
                save_port_book(self._settings.root, ports)
                await self._unless_stopped(supervisor.change_to(specs))
                run_file.set_health_urls(health_urls_of(specs))
            except StackError as error:
                print(f"the number of workers stays as it was: {error}", file=sys.stderr)
            await self._unless_stopped(self._restart_wanted(supervisor))

    async def _restart_wanted(self, supervisor: StackSupervisor) -> None:
        """One after the other; the first that does not come back ends it, the rest runs on as it is."""
        try:
            for name in take_wanted_restarts(self._settings.root):
                await supervisor.restart(name)
        except StackError as error:
            print(f"the restart ends: {error}", file=sys.stderr)

    def _desired(self) -> StackSettings:
        desired = read_desired(self._settings.root)
        return (
            self._settings if desired is None else self._settings.model_copy(update={"workers": desired.workers})
        )

    async def _unless_stopped(self, work: Coroutine[Any, Any, object]) -> bool:
        """Whether the work ended before a stop was wanted; what it raises goes on."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop_wanted.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            working.result()
            return True
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False

    def _clear(self) -> None:
        """What a killed supervisor left, and the old data when the user wants none of it."""
        end_leftovers(self._settings.root)
        forget_desired(self._settings.root)
        if self._settings.fresh:
            shutil.rmtree(self._settings.data, ignore_errors=True)
        prepare_folders(self._settings)

    def _info(self, ports: PortBook, specs: list[ProcessSpec]) -> RunInfo:
        return RunInfo(
            **asdict(addresses_of(self._settings, ports)),
            data_dir=str(self._settings.data),
            supervisor_pid=os.getpid(),
            started_at=time.time(),
            workers=self._settings.workers,
            max_workers=max(self._settings.workers, self._settings.max_workers),
            health_urls=health_urls_of(specs),
        )

    def _surroundings(self) -> Surroundings:
        owner = {OWNER_VARIABLE: str(self._settings.root)}
        return Surroundings(self._settings.logs, {**inherited_environment(), **owner})

    def _observer(self, run_file: RunFile) -> Callable[[str, ProcessState, int | None], None]:
        def observe(name: str, state: ProcessState, pid: int | None) -> None:
            self._on_progress(name, state.value)
            try:
                run_file.set_process(name, pid)
            except OSError as error:  # a full disk must not end the stack
                print(f"run.json is out of date: {error}", file=sys.stderr)

        return observe

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop_wanted.set)
        loop.add_signal_handler(signal.SIGINT, self._stop_wanted.set)
        loop.add_signal_handler(signal.SIGHUP, self._change_wanted.set)

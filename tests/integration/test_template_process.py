"""Processes that are forked from a template, under the supervisor."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.forking import Template
from deploy.local.machine import open_port_book
from deploy.local.process_spec import (
    HOST,
    AnswersOk,
    Completes,
    ProcessLog,
    ProcessSpec,
    ProcessState,
    RestartPolicy,
)
from deploy.local.root_lock import OWNER_VARIABLE, leftovers
from deploy.local.stack import python_command
from deploy.local.supervisor import ProcessContext, StackSupervisor
from stream_apps.runtime.retry import RetryPolicy

QUICK = RestartPolicy(RetryPolicy(0.05))
SECONDS = 10.0


class Trial:
    """A supervisor with a template that has imported `preloaded`, and the ids of its processes."""

    def __init__(self, root: Path, *preloaded: str) -> None:
        self.root = root
        self.port = open_port_book(root).port("server")
        self.states: list[ProcessState] = []
        self.pids: list[int] = []
        environment = {"PATH": "/usr/bin:/bin", OWNER_VARIABLE: str(root), "PYTHONUNBUFFERED": "1"}
        command = (*python_command("deploy.local.template"), *preloaded)
        checkout = {"PYTHONPATH": str(Path(__file__).parents[2])}
        self.template = Template(command, {**environment, **checkout}, ProcessLog(root, "template"))
        self.supervisor = StackSupervisor(ProcessContext(root, environment, self.template), self._tell)

    def server(self) -> ProcessSpec:
        command = (*python_command("http.server"), str(self.port), "--bind", HOST, "--directory", str(self.root))
        ready = AnswersOk(f"http://{HOST}:{self.port}/")
        return ProcessSpec("server", command, 1, ready, is_forked=True, restart=QUICK, stop_timeout_seconds=2.0)

    def template_pid(self) -> int:
        return int(Path(f"/proc/{self.pids[-1]}/stat").read_text().rpartition(")")[2].split()[1])

    async def until_ready_again(self, times: int) -> None:
        await until(lambda: self.states.count(ProcessState.READY) >= times)

    def _tell(self, _name: str, state: ProcessState, pid: int | None) -> None:
        self.states.append(state)
        if state is ProcessState.STARTING and pid is not None:
            self.pids.append(pid)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path, "http.server")


async def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)


def test_a_forked_process_has_its_own_arguments_environment_niceness_name_and_log(trial: Trial) -> None:
    told = "import os, sys; print(sys.argv[1:], dict(os.environ), os.nice(0), open('/proc/self/comm').read())"
    (trial.root / "telling.py").write_text(told)
    command = (*python_command("telling"), "--first", "second")
    environment = {"PYTHONPATH": "elsewhere", "DRAGOMAN_INSTANCE": "w"}
    spec = ProcessSpec("teller", command, 1, Completes(), environment, niceness=3, is_forked=True)
    trial = _importing_from_its_root(trial)

    asyncio.run(_run(trial, spec))

    log = (trial.root / "teller.log").read_text()
    assert log.startswith("['--first', 'second'] {'PATH': '/usr/bin:/bin',")
    assert "'DRAGOMAN_INSTANCE': 'w'" in log
    assert log.endswith(f"{min(os.nice(0) + 3, 19)} teller\n\n")
    assert "HOME" not in log


def test_a_killed_process_is_forked_again(trial: Trial) -> None:
    async def check() -> None:
        await trial.supervisor.start([trial.server()])
        os.kill(trial.pids[0], signal.SIGKILL)
        await trial.until_ready_again(2)

        assert len(set(trial.pids)) == 2

    asyncio.run(_supervised(trial, check))


def test_a_template_that_dies_takes_its_processes_along_and_another_one_forks_them_again(trial: Trial) -> None:
    async def check() -> None:
        await trial.supervisor.start([trial.server()])
        first = trial.template_pid()
        os.kill(first, signal.SIGKILL)
        await trial.until_ready_again(2)

        assert trial.template_pid() != first
        assert trial.pids[0] not in leftovers(trial.root)

    asyncio.run(_supervised(trial, check))


def test_a_process_that_nobody_waits_for_any_more_is_killed_as_it_starts(trial: Trial) -> None:
    async def check() -> None:
        spec = trial.server()
        forking = asyncio.create_task(
            trial.template.fork(spec.name, spec.command, {}, trial.root / "server.log", spec.niceness)
        )
        await until(lambda: trial.template._ordered)
        forking.cancel()
        await until(lambda: not trial.template._ordered)
        await until(lambda: not trial.template._alive)

        assert len(leftovers(trial.root)) == 1, "the template"

    asyncio.run(_supervised(trial, check))


def test_what_an_import_prints_is_no_report(trial: Trial) -> None:
    (trial.root / "talkative.py").write_text("print('hello'); print('[]')")
    trial = _importing_from_its_root(trial, "talkative")

    asyncio.run(_run(trial, trial.server()))
    assert ProcessState.READY in trial.states


def test_a_template_whose_imports_fail_fails_the_start_and_names_its_log(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "no_such_module")

    with pytest.raises(StackError, match=r"cannot start server: the template process ended.*template\.log"):
        asyncio.run(_run(trial, trial.server()))
    assert "No module named 'no_such_module'" in (tmp_path / "template.log").read_text()


def test_a_template_whose_imports_started_a_thread_refuses_to_fork(trial: Trial) -> None:
    (trial.root / "threaded.py").write_text(
        "import threading; threading.Thread(target=threading.Event().wait).start()"
    )
    trial = _importing_from_its_root(trial, "threaded")

    with pytest.raises(StackError, match="the template process ended"):
        asyncio.run(_run(trial, trial.server()))
    assert "the imports started 1 threads" in (trial.root / "template.log").read_text()


def _importing_from_its_root(trial: Trial, *preloaded: str) -> Trial:
    """Return the trial with a template that finds modules in the trial's folder."""
    command = (
        "env",
        f"PYTHONPATH={trial.root}:{Path(__file__).parents[2]}",
        *python_command("deploy.local.template"),
    )
    environment = {"PATH": "/usr/bin:/bin", OWNER_VARIABLE: str(trial.root)}
    trial.template = Template((*command, *preloaded), environment, ProcessLog(trial.root, "template"))
    trial.supervisor = StackSupervisor(ProcessContext(trial.root, environment, trial.template), trial._tell)
    return trial


async def _run(trial: Trial, spec: ProcessSpec) -> None:
    async def start() -> None:
        await trial.supervisor.start([spec])

    await _supervised(trial, start)


async def _supervised(trial: Trial, check: Callable[[], Awaitable[None]]) -> None:
    async with trial.template:
        try:
            await check()
        finally:
            await trial.supervisor.stop()
    assert leftovers(trial.root) == []

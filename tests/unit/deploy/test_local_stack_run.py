"""A running stack and what must not end it, or reach another process."""

import asyncio
import signal
from pathlib import Path

import pytest

from deploy.local import main
from deploy.local.machine import PortBook, open_port_book
from deploy.local.process_spec import ProcessSpec, ProcessState
from deploy.local.root_lock import RootLock, supervisor_of
from deploy.local.settings import StackSettings
from deploy.local.stack_run import StackRun
from deploy.local.state_files import RunFile, RunInfo, read_run_file
from deploy.local.supervisor import ProcessContext, StackSupervisor

INFO = RunInfo("k", "h", "a", "r", "s", "d", supervisor_pid=1, started_at=0.0, health_urls={"worker-1": "u"})


def test_a_report_that_a_full_disk_refuses_does_not_end_the_supervision(tmp_path: Path) -> None:
    def full(_name: str, _state: str) -> None:
        raise OSError(28, "No space left on device")

    run_file = RunFile(tmp_path, INFO)
    record = StackRun(StackSettings(root=tmp_path), full)._state_recorder(run_file)
    record("worker-1", ProcessState.STARTING, 4711)

    assert read_run_file(tmp_path).processes == {"worker-1": 4711}


def test_a_restart_signals_the_supervisor_that_holds_the_root_not_one_of_an_old_run_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalled: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda pid, number: signalled.append((pid, number)))
    RunFile(tmp_path, INFO).write()
    with RootLock(tmp_path):
        assert main.restart(tmp_path, "worker") == ["worker-1"]
        assert signalled == [(supervisor_of(tmp_path), signal.SIGHUP)]
    assert signalled[0][0] != INFO.supervisor_pid


def test_a_change_that_a_full_disk_refuses_leaves_the_stack_as_it_was(tmp_path: Path) -> None:
    asked: list[StackSettings] = []

    def full(settings: StackSettings, _ports: PortBook) -> list[ProcessSpec]:
        asked.append(settings)
        run._stop_requested.set()
        raise OSError(28, "No space left on device")

    async def change() -> None:
        supervisor = StackSupervisor(ProcessContext(tmp_path, {}), lambda _name, _state, _pid: None)
        run._change_requested.set()
        await run._apply_changes(supervisor, open_port_book(tmp_path), RunFile(tmp_path, INFO))

    run = StackRun(StackSettings(root=tmp_path), lambda _name, _state: None, full)
    asyncio.run(change())
    assert len(asked) == 1

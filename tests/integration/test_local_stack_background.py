"""A supervisor in the background, over real processes: what a user sees of `up`, `down` and `scale`."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import background
from deploy.local.background import start_in_background
from deploy.local.errors import StackError
from deploy.local.main import (
    down,
    is_running,
    propose_scale,
    read_run,
    restart,
    scale,
    scale_automatically,
    up,
)
from deploy.local.root_lock import leftovers
from deploy.local.settings import StackSettings
from tests.integration import local_stack_small


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def start(root: Path, workers: int = 2) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []
    settings = StackSettings(root=root, workers=workers)
    start_in_background(settings, lambda name, state: seen.append((name, state)), local_stack_small.COMMAND)
    return seen


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    down(tmp_path)
    assert leftovers(tmp_path) == []


def test_a_start_tells_its_progress_and_returns_when_all_are_ready(root: Path) -> None:
    seen = start(root)

    assert seen.index(("store", "ready")) < seen.index(("worker-1", "starting"))
    assert set(seen[-2:]) == {("worker-1", "ready"), ("worker-2", "ready")}
    assert read_run(root).is_ready
    assert set(read_run(root).processes) == {"store", "worker-1", "worker-2"}


def test_a_stop_names_what_ran_and_leaves_nothing(root: Path) -> None:
    start(root)

    assert down(root) == ["store", "worker-1", "worker-2"]
    assert not is_running(root)
    assert leftovers(root) == []
    assert down(root) == []
    with pytest.raises(StackError, match="no stack is running"):
        read_run(root)


def test_a_second_start_says_that_it_runs_and_how_to_stop_it(root: Path) -> None:
    start(root)

    with pytest.raises(StackError, match=r"is running \(process \d+\); stop it first: dragoman down"):
        up(StackSettings(root=root), detach=True, on_progress=lambda *_: None)
    with pytest.raises(StackError, match="is running"):
        start(root)
    assert read_run(root).is_ready


def test_a_killed_process_comes_back_under_its_name_with_a_new_id(root: Path) -> None:
    start(root)
    before = read_run(root)
    os.kill(before.processes["worker-1"], signal.SIGKILL)

    until(lambda: read_run(root).processes.get("worker-1") not in {None, before.processes["worker-1"]})
    assert read_run(root).processes["worker-2"] == before.processes["worker-2"]


def test_a_killed_supervisor_takes_its_processes_along(root: Path) -> None:
    start(root)
    run = read_run(root)
    os.kill(run.supervisor_pid, signal.SIGKILL)

    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in run.processes.values()))
    assert not is_running(root)


def test_a_grandchild_of_a_killed_supervisor_ends_with_the_next_down(root: Path) -> None:
    start(root)
    processes = read_run(root)
    os.kill(processes.supervisor_pid, signal.SIGKILL)
    until(lambda: len(leftovers(root)) == 1)

    down(root)
    until(lambda: leftovers(root) == [])


def test_a_root_whose_supervisor_was_killed_starts_again_on_the_same_ports(root: Path) -> None:
    start(root)
    ports = (root / "ports.json").read_text()
    os.kill(read_run(root).supervisor_pid, signal.SIGKILL)
    until(lambda: not is_running(root))
    start(root)

    assert read_run(root).is_ready
    assert (root / "ports.json").read_text() == ports


def test_a_broken_process_fails_the_start_with_its_name_its_last_words_and_its_log(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_STACK_FAULT", "broken")

    with pytest.raises(StackError) as failure:
        start(root)

    message = str(failure.value)
    assert message.startswith("sick ended 2 times before it was ready, last with code 1.")
    assert f"The end of {root}/logs/sick.log says:\n    no model in /models" in message
    until(lambda: not is_running(root))
    assert leftovers(root) == []


def test_a_stop_during_the_start_ends_both(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_STACK_FAULT", "never ready")

    def stop_when_slow_starts() -> None:
        until(lambda: "slow" in read_run(root).processes)
        down(root)

    stopper = threading.Thread(target=stop_when_slow_starts)

    settings = StackSettings(root=root, workers=1)
    with pytest.raises(StackError, match="stopped before it was ready"):
        start_in_background(
            settings,
            lambda name, state: stopper.start() if (name, state) == ("slow", "starting") else None,
            local_stack_small.COMMAND,
        )
    stopper.join()
    assert leftovers(root) == []


def test_ctrl_c_before_the_supervisor_has_said_a_word_ends_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(background, "_relay_progress", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(root)
    # As long as a start takes.
    time.sleep(2.0)
    assert not is_running(root)
    assert leftovers(root) == []


def test_workers_are_added_and_removed_while_the_rest_runs_on(root: Path) -> None:
    start(root, workers=1)
    before = read_run(root).processes

    scale(root, 3)
    until(lambda: {"worker-2", "worker-3"} <= set(read_run(root).processes))
    scale(root, 1)
    until(lambda: read_run(root).processes == before)


def test_the_autoscaler_changes_workers_until_a_person_does(root: Path) -> None:
    start(root, workers=1)

    assert propose_scale(root, 2) is True
    until(lambda: "worker-2" in read_run(root).processes)
    scale(root, 3)
    assert propose_scale(root, 1) is False
    until(lambda: "worker-3" in read_run(root).processes)

    scale_automatically(root)
    assert propose_scale(root, 1) is True
    until(lambda: not {"worker-2", "worker-3"} & set(read_run(root).processes))


def test_workers_of_a_stack_that_does_not_run_cannot_be_changed(root: Path) -> None:
    with pytest.raises(StackError, match="start it: dragoman up"):
        scale(root, 3)


def test_processes_of_a_kind_are_restarted_one_after_the_other_and_the_rest_runs_on(root: Path) -> None:
    start(root, workers=3)
    before = read_run(root).processes
    workers = restart(root, "worker")
    fewest = len(workers)

    def is_done() -> bool:
        nonlocal fewest
        now = read_run(root).processes
        fewest = min(fewest, sum(name in now for name in workers))
        return all(now.get(name) not in {None, before[name]} for name in workers)

    until(is_done)
    assert workers == ["worker-1", "worker-2", "worker-3"]
    assert fewest >= 2
    assert read_run(root).processes["store"] == before["store"]


def test_a_restart_of_what_does_not_exist_names_what_does(root: Path) -> None:
    start(root, workers=1)
    with pytest.raises(StackError, match="nothing is called work; there are worker-1"):
        restart(root, "work")

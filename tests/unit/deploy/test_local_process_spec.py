"""One process of the stack: its stage, its port, its log file over several starts, and its restarts."""

import socket
from pathlib import Path

import pytest

from deploy.local.process_spec import Completes, ProcessLog, ProcessSpec, RestartPolicy, is_port_free, stages_of


def test_a_stage_keeps_the_given_order_however_stages_are_mixed() -> None:
    specs = [ProcessSpec(name, (), stage, Completes()) for name, stage in (("c", 2), ("a", 1), ("d", 2), ("b", 1))]

    assert [[spec.name for spec in stage] for stage in stages_of(specs)] == [["a", "b"], ["c", "d"]]


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_port_free(server.getsockname()[1])


def run(log: ProcessLog, *lines: str) -> None:
    with log.open_for_start() as output:
        output.write("".join(f"{line}\n" for line in lines).encode())


def test_a_restart_appends(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "logs", "worker-1")
    run(log, "first")
    run(log, "second")

    assert (tmp_path / "logs" / "worker-1.log").read_text() == "first\nsecond\n"


def test_only_the_present_life_is_quoted(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path, "worker-1")
    run(log, "old")
    run(log, "one", "two", "three")

    assert log.last_lines(2) == ["two", "three"]
    assert log.last_lines() == ["one", "two", "three"]


def test_a_process_that_said_nothing_has_no_last_lines(tmp_path: Path) -> None:
    assert ProcessLog(tmp_path, "worker-1").last_lines() == []


def test_a_huge_log_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path, "worker-1")
    run(log, "old")
    with log.path.open("r+b") as file:
        file.truncate(40_000_000)  # sparse
    run(log, "new")

    assert log.path.read_text() == "new\n"
    assert (tmp_path / "worker-1.log.1").stat().st_size == 40_000_000


def test_a_log_that_grows_too_long_is_set_aside_while_its_process_writes(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path, "worker-1")
    with log.open_for_start() as output:
        output.write(b"x" * 33_000_000 + b"\nlast\n")
        log.rotate()
        output.write(b"next\n")
        log.rotate()
    assert log.path.read_bytes() == b"next\n"
    assert (tmp_path / "worker-1.log.1").read_bytes().endswith(b"\nlast\n")
    assert log.last_lines() == ["next"]


def test_a_log_is_bounded_on_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: Path, copy: Path) -> None:
        copy.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deploy.local.process_spec.shutil.copyfile", full)
    log = ProcessLog(tmp_path, "worker-1")
    with log.open_for_start() as output:
        output.write(b"x" * 33_000_000)
        log.rotate()
        output.write(b"next\n")

    assert log.path.read_bytes() == b"next\n"
    assert not (tmp_path / "worker-1.log.1").exists()


@pytest.mark.parametrize(("lived_seconds", "failures"), [(0.0, 4), (29.9, 4), (30.0, 1), (3_600.0, 1)])
def test_a_stable_life_makes_up_for_earlier_failures(lived_seconds: float, failures: int) -> None:
    assert RestartPolicy().failures_in_a_row(3, lived_seconds) == failures

"""The log file of a process over its lives."""

from pathlib import Path

from deploy.local.process_spec import ProcessLog


def live(log: ProcessLog, *lines: str) -> None:
    with log.open_life() as output:
        output.write("".join(f"{line}\n" for line in lines).encode())


def test_a_restart_appends(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "logs", "worker-1")
    live(log, "first")
    live(log, "second")

    assert (tmp_path / "logs" / "worker-1.log").read_text() == "first\nsecond\n"


def test_only_the_present_life_is_quoted(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path, "worker-1")
    live(log, "old")
    live(log, "one", "two", "three")

    assert log.last_lines(2) == ["two", "three"]
    assert log.last_lines() == ["one", "two", "three"]


def test_a_process_that_said_nothing_has_no_last_lines(tmp_path: Path) -> None:
    assert ProcessLog(tmp_path, "worker-1").last_lines() == []


def test_a_huge_log_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path, "worker-1")
    live(log, "old")
    with log.path.open("r+b") as file:
        file.truncate(40_000_000)  # sparse
    live(log, "new")

    assert log.path.read_text() == "new\n"
    assert (tmp_path / "worker-1.log.1").stat().st_size == 40_000_000


def test_a_log_that_grows_too_long_is_set_aside_while_its_process_writes(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path, "worker-1")
    with log.open_life() as output:
        output.write(b"x" * 33_000_000 + b"\nlast\n")
        log.set_aside()
        output.write(b"next\n")
        log.set_aside()
    assert log.path.read_bytes() == b"next\n"
    assert (tmp_path / "worker-1.log.1").read_bytes().endswith(b"\nlast\n")
    assert log.last_lines() == ["next"]

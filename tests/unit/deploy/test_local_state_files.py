"""The files by which the supervisor and other programs talk to each other."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.state_files import (
    Author,
    DesiredWorkers,
    RunFile,
    RunInfo,
    analytics_token_path,
    keep_secret,
    propose,
    read_desired,
    read_run_file,
    run_file_path,
    take_restarts,
    write_desired,
)

INFO = RunInfo(
    kafka_bootstrap="127.0.0.1:1",
    http_url="http://127.0.0.1:2",
    analytics_url="http://127.0.0.1:3",
    redis_cache_url="redis://127.0.0.1:4/0",
    redis_state_url="redis://127.0.0.1:5/0",
    data_dir="/data",
    supervisor_pid=6,
    started_at=7.5,
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    RunFile(tmp_path, INFO).write()

    assert read_run_file(tmp_path) == INFO


def test_a_restarted_process_has_its_new_id_under_its_old_name(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path, INFO)
    for pid in (100, None, 101):
        run_file.set_process("worker-1", pid)

    assert read_run_file(tmp_path).processes == {"worker-1": 101}


def test_a_process_that_waits_for_its_restart_is_not_listed(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path, INFO)
    run_file.set_process("worker-1", 100)
    run_file.set_process("worker-1", None)

    assert read_run_file(tmp_path).processes == {}


def test_an_open_reader_keeps_the_whole_old_file_while_a_new_one_is_written(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path, INFO)
    run_file.write()
    before = run_file_path(tmp_path).read_text()
    with run_file_path(tmp_path).open() as reader:
        run_file.set_process("kafka", 100)

        assert reader.read() == before
    assert os.listdir(tmp_path) == ["run.json"]


def test_a_root_without_a_run_file_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"no stack is running in .*; start it: dragoman up"):
        read_run_file(tmp_path)


def test_a_removed_run_file_may_be_removed_again(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path, INFO)
    run_file.write()
    run_file.remove()
    run_file.remove()

    assert not run_file_path(tmp_path).exists()


def test_the_autoscaler_cannot_overwrite_what_a_person_wants(tmp_path: Path) -> None:
    assert propose(tmp_path, 3) is True
    write_desired(tmp_path, DesiredWorkers(5, Author.PERSON))

    assert propose(tmp_path, 2) is False
    assert read_desired(tmp_path) == DesiredWorkers(5, Author.PERSON)


def test_the_token_of_the_analytics_process_is_its_owners_alone_and_stays_over_restarts(tmp_path: Path) -> None:
    info = replace(INFO, data_dir=str(tmp_path))
    keep_secret(analytics_token_path(tmp_path))
    token = info.analytics_token()
    keep_secret(analytics_token_path(tmp_path))

    assert stat.S_IMODE(analytics_token_path(tmp_path).stat().st_mode) == 0o600
    assert info.analytics_token() == token
    assert len(token) == 64


def test_an_empty_secret_that_a_full_disk_left_is_made_anew(tmp_path: Path) -> None:
    path = analytics_token_path(tmp_path)
    path.touch(0o600)
    keep_secret(path)

    assert len(path.read_text()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("left", ["", '{"of_another_version": 1}', "[]"])
def test_a_run_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, left: str) -> None:
    run_file_path(tmp_path).write_text(left)

    with pytest.raises(StackError, match=r"run\.json cannot be read"):
        read_run_file(tmp_path)


@pytest.mark.parametrize("left", ["", "[]", '{"workers": 2}', '{"workers": "x", "by": "person"}', "7"])
def test_wishes_that_a_loss_of_power_cut_short_are_none(tmp_path: Path, left: str) -> None:
    for name in ("desired.json", "restart.json"):
        (tmp_path / name).write_text(left)

    assert read_desired(tmp_path) is None
    assert set(take_restarts(tmp_path)) <= {"workers", "by"}


def test_a_token_that_is_gone_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"analytics\.token"):
        replace(INFO, data_dir=str(tmp_path)).analytics_token()

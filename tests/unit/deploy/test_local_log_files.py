"""Logs are read in the order of time over all files, and followed over rotations."""

import json

import pytest

from deploy.local import process_spec
from deploy.local.errors import StackError
from deploy.local.log_files import Follower, log_files, read_lines
from deploy.local.log_lines import LogFilter
from deploy.local.process_spec import ProcessLog

ALL = LogFilter()


def line(second, event):
    return json.dumps({"timestamp": f"2026-11-30T03:00:{second:02}Z", "event": event}) + "\n"


def write(folder, name, *texts, mode="a"):
    with (folder / name).open(mode) as file:
        file.writelines(texts)


def events(found):
    return [one.event for one in found]


def test_the_lines_of_all_files_come_in_the_order_of_time(tmp_path):
    write(tmp_path, "http.log.1", line(1, "a"))
    write(tmp_path, "http.log", line(3, "c"), line(5, "e"))
    write(tmp_path, "intake-1.log", line(2, "b"), line(4, "d"))
    assert events(read_lines(log_files(tmp_path, ALL), ALL)) == ["a", "b", "c", "d", "e"]


def test_lines_before_the_first_time_stay_before_it(tmp_path):
    write(tmp_path, "kafka.log", "a warning of the JVM\n", "2026-11-30 03:00:03,000 INFO Kafka: up\n")
    assert events(read_lines(log_files(tmp_path, ALL), ALL)) == ["a warning of the JVM", "Kafka: up"]


def test_without_logs_the_error_says_what_to_do(tmp_path):
    with pytest.raises(StackError, match="dragoman up"):
        log_files(tmp_path, ALL)


def test_an_unknown_process_is_told_the_known_ones(tmp_path):
    write(tmp_path, "http.log")
    write(tmp_path, "intake-1.log")
    with pytest.raises(StackError, match="http, intake-1"):
        log_files(tmp_path, LogFilter(processes=("worker",)))


@pytest.fixture
def follower(tmp_path):
    write(tmp_path, "http.log", line(1, "old"))
    found = Follower(tmp_path, ALL)
    found.start()
    return found


def test_a_follower_sees_what_is_added_and_nothing_twice(follower, tmp_path):
    write(tmp_path, "http.log", line(2, "new"))
    assert events(follower.added()) == ["new"]
    assert follower.added() == []


def test_a_follower_waits_for_the_end_of_a_line(follower, tmp_path):
    whole = line(2, "late")
    write(tmp_path, "http.log", whole[:20])
    assert follower.added() == []
    write(tmp_path, "http.log", whole[20:])
    assert events(follower.added()) == ["late"]


def test_a_follower_begins_before_a_line_that_is_half_written(tmp_path):
    whole = line(2, "late")
    write(tmp_path, "http.log", line(1, "old"), whole[:20])
    follower = Follower(tmp_path, ALL)
    follower.start()
    write(tmp_path, "http.log", whole[20:])
    assert events(follower.added()) == ["late"]


def test_what_is_added_while_the_files_are_read_is_left_to_the_follower(tmp_path):
    write(tmp_path, "http.log", line(1, "old"))
    follower = Follower(tmp_path, ALL)
    until = follower.start()
    write(tmp_path, "http.log", line(2, "new"))
    assert events(read_lines(log_files(tmp_path, ALL), ALL, until)) == ["old"]
    assert events(follower.added()) == ["new"]


def test_a_follower_sees_files_that_appear(follower, tmp_path):
    write(tmp_path, "worker-2.log", line(2, "first"))
    assert events(follower.added()) == ["first"]


def test_a_follower_misses_nothing_where_the_file_is_rotated(follower, tmp_path, monkeypatch):
    write(tmp_path, "http.log", line(2, "before"))
    monkeypatch.setattr(process_spec, "_ROTATE_BYTES", 10)
    ProcessLog(tmp_path, "http").rotate()
    write(tmp_path, "http.log", line(3, "behind"))
    assert events(follower.added()) == ["before", "behind"]


def test_a_follower_goes_on_behind_a_file_that_a_full_disk_had_emptied_without_a_copy(follower, tmp_path):
    write(tmp_path, "http.log", line(2, "a"), line(2, "b"))
    follower.added()
    write(tmp_path, "http.log", line(3, "c"), mode="w")
    assert events(follower.added()) == ["c"]


def test_a_line_that_is_longer_than_what_is_read_at_once_does_not_stop_a_follower(follower, tmp_path, monkeypatch):
    monkeypatch.setattr("deploy.local.log_files._MOST_READ", 100)
    write(tmp_path, "http.log", "x" * 250 + "\n" + line(3, "c"))
    found = [event for _ in range(5) for event in events(follower.added())]
    assert found == ["x" * 100, "x" * 100, "x" * 50, "c"]


def test_a_line_with_other_separators_stays_one(follower, tmp_path):
    write(tmp_path, "http.log", "one\u2028line\x0b of text\n")
    assert events(follower.added()) == ["one\u2028line\x0b of text"]


def test_lines_go_on_until_somebody_ends_it(tmp_path):
    write(tmp_path, "http.log")

    def write_more(_seconds):
        write(tmp_path, "http.log", line(2, "more"))

    follower = Follower(tmp_path, ALL, write_more)
    follower.start()
    assert next(follower.lines()).event == "more"


def test_a_follower_goes_on_where_the_files_are_deleted_and_begin_anew(follower, tmp_path):
    write(tmp_path, "http.log", line(2, "before"), line(3, "more"))
    assert events(follower.added()) == ["before", "more"]
    (tmp_path / "http.log").unlink()
    assert follower.added() == []
    write(tmp_path, "http.log", line(4, "anew"))
    assert events(follower.added()) == ["anew"]
    write(tmp_path, "http.log", line(5, "a"), mode="w")
    assert events(follower.added()) in (["a"], [])


def test_a_file_that_goes_away_under_the_follower_is_passed_over(follower, tmp_path, monkeypatch):
    write(tmp_path, "gone.log", line(2, "x"))
    found = sorted(tmp_path.glob("*.log"))
    (tmp_path / "gone.log").unlink()
    monkeypatch.setattr(type(tmp_path), "glob", lambda _self, _pattern: iter(found))
    write(tmp_path, "http.log", line(3, "b"))
    assert events(follower.added()) == ["b"]

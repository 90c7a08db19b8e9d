"""`dragoman logs` shows lines for people on a terminal and JSON elsewhere, and says what to do about mistakes."""

import json
import re

import pytest
from typer.testing import CliRunner

from deploy.local.log_files import Follower
from deploy.local.log_lines import parse_line
from producers.cli.logs import readable
from producers.cli.main import app

LINE = {
    "event": "dead_letter",
    "process": "intake",
    "instance": "intake-1",
    "level": "info",
    "timestamp": "2026-11-30T03:12:13.250Z",
    "tenant": "acme",
    "request_id": "r1",
    "cause": "no_target",
}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "logs").mkdir()
    lines = [json.dumps({**LINE, "request_id": f"r{number}"}) for number in range(5)]
    (tmp_path / "logs" / "intake-1.log").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(root, *options):
    return CliRunner().invoke(app, ["logs", "--root", str(root), *options])


def test_what_is_piped_is_json(root):
    ran = run(root, "--request", "r3", "--tenant", "acme", "--process", "intake", "--level", "info")
    assert ran.exit_code == 0
    (shown,) = map(json.loads, ran.stdout.splitlines())
    assert (shown["request_id"], shown["process"], shown["cause"]) == ("r3", "intake-1", "no_target")


def test_only_the_last_lines_are_shown(root):
    shown = [json.loads(line)["request_id"] for line in run(root, "--tail", "2").stdout.splitlines()]
    assert shown == ["r3", "r4"]


def test_nothing_found_is_said_on_standard_error(root):
    ran = run(root, "--grep", "nowhere")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert "no line in" in ran.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--level", "loud"], "debug, info, warning, error, critical"),
        (["--grep", "("], "no regular expression"),
        (["--since", "soon"], "--since"),
    ],
)
def test_a_mistake_is_wrong_usage_and_says_what_is_right(root, options, told):
    ran = run(root, *options)
    assert ran.exit_code == 2
    assert told in ran.stderr


def test_a_process_that_is_not_there_and_a_folder_without_logs_are_failures(root, tmp_path):
    assert (run(root, "--process", "worker").exit_code, run(tmp_path / "other").exit_code) == (1, 1)


def test_following_begins_with_the_last_lines_and_ends_with_ctrl_c(root, monkeypatch):
    def interrupted(_follower):
        yield parse_line("http", json.dumps({**LINE, "request_id": "new"}))
        raise KeyboardInterrupt

    monkeypatch.setattr(Follower, "lines", interrupted)
    ran = run(root, "-f", "--tail", "1")
    assert [json.loads(line)["request_id"] for line in ran.stdout.splitlines()] == ["r4", "new"]
    assert ran.exit_code == 130


def test_people_see_time_process_level_event_and_fields_in_colours():
    shown = readable(parse_line("intake-1", json.dumps(LINE)))
    assert "\x1b[" in shown
    assert "dead_letter" in shown
    assert "tenant=acme request_id=r1 cause=no_target" in shown
    assert "instance" not in shown


def test_no_line_does_anything_to_the_terminal():
    strange = {**LINE, "event": "\x1b]0;title\x07", "cause": "\x1b[2J\u202ereversed", "exception": "one\n\ttwo"}
    shown = re.sub(r"\x1b\[[0-9]+m", "", readable(parse_line("http", json.dumps(strange))))
    assert "\\x1b]0;title\\x07" in shown
    assert "cause=\\x1b[2J\\u202ereversed" in shown
    assert "exception=one\n\ttwo" in shown


def test_none_of_the_lines_is_not_called_a_lack_of_them(root):
    ran = run(root, "--tail", "0")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", "")

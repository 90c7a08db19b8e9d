"""What surrounds a command: files, terminals, pipes, the environment and Ctrl-C. A line tells, not a trace."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from deploy.local.errors import StackError
from deploy.local.state_files import read_run_file, run_file_path
from producers.cli import accounts, models, topics
from producers.cli.api import Api
from producers.cli.errors import CommandError
from producers.cli.main import app
from producers.cli.surroundings import failure_of_surroundings

NEVER_ASKED = "http://127.0.0.1:1"


def dragoman(*arguments, stdin=None, **env):
    return CliRunner().invoke(app, arguments, input=stdin, env=env)


def in_process(*arguments, **rest):
    command = [sys.executable, "-m", "producers.cli.main", *arguments]
    return subprocess.run(command, capture_output=not rest, check=False, timeout=60, **rest)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DRAGOMAN_KAFKA_PARTITIONS", "abc", "DRAGOMAN_KAFKA_PARTITIONS: Input should be a valid integer"),
        ("DRAGOMAN_KAFKA_TENANTS", "abc", 'error parsing value for field "tenants"'),
        ("DRAGOMAN_KAFKA_MISSPELT", "1", "unknown setting DRAGOMAN_KAFKA_MISSPELT"),
    ],
)
def test_a_setting_that_is_refused_is_named(name, value, words):
    ran = dragoman("topics", "list", **{name: value})
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"dragoman: {words}")
    assert ran.stderr.endswith("docs/reference/configuration.md has every setting\n")


@pytest.mark.parametrize(
    ("error", "line", "exit_code"),
    [
        (PermissionError(13, "Permission denied", "/a/b"), "/a/b: Permission denied", 1),
        (OSError(28, "No space left on device"), "nothing more can be written: No space left on device", 1),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "x"), "an argument is no UTF-8", 2),
        (UnicodeEncodeError("latin-1", "ł", 0, 1, "x"), "the output cannot be written in latin-1", 1),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "what was read is no UTF-8 (byte 0)", 2),
    ],
)
def test_what_the_system_refuses_becomes_one_line(error, line, exit_code):
    failure = failure_of_surroundings(error)
    assert failure
    assert (failure.message, failure.exit_code) == (line, exit_code)


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(5, "x"), typer.Abort()])
def test_a_closed_pipe_is_left_to_the_terminal_and_what_is_unknown_keeps_its_trace(error):
    assert failure_of_surroundings(error) is None


def test_a_reader_that_goes_away_gets_no_trace():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        ran = in_process("topics", "list", stdout=closed, stderr=subprocess.PIPE)
    assert b"Traceback" not in ran.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told():
    with Path("/dev/full").open("wb") as full:
        ran = in_process("topics", "list", stdout=full, stderr=subprocess.PIPE)
    assert ran.returncode == 1
    assert b"Traceback" not in ran.stderr


def test_ctrl_c_ends_with_130(monkeypatch):
    def interrupt(_plan):
        raise KeyboardInterrupt

    monkeypatch.setattr(topics, "catalogue", interrupt)
    assert dragoman("topics", "list").exit_code == 130


def test_ctrl_c_at_a_question_ends_with_130(monkeypatch):
    def interrupted(*_args, **_rest):
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupted)
    monkeypatch.setattr("typer._click.termui.hidden_prompt_func", interrupted, raising=False)
    with pytest.raises(typer.Abort) as aborted:
        typer.prompt("password", hide_input=True)
    failure = failure_of_surroundings(aborted.value)
    assert failure
    assert failure.exit_code == 130


@pytest.mark.parametrize(
    "command", [["translate", "\udcff"], ["result", "\udcff"], ["glossaries", "show", "\udcff"]]
)
def test_an_argument_that_is_no_utf_8_is_refused(command):
    to = ["--to", "pt"] if command[0] == "translate" else []
    ran = dragoman(*command, *to, "--url", NEVER_ASKED)
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1), ran.output
    assert "no UTF-8" in ran.stderr


def test_what_stands_in_standard_input_is_sent_as_it_is_or_refused(monkeypatch):
    sent = []

    def submit(_api, submission):
        sent.append(submission["text"])
        raise CommandError("enough")

    monkeypatch.setattr(Api, "submit", submit)
    asked = ["translate", "-", "--to", "pt", "--url", NEVER_ASKED]
    assert dragoman(*asked, stdin="Olá.\r\n".encode()).exit_code == 1
    assert sent == ["Olá.\r\n"]
    ran = dragoman(*asked, stdin=b"Ol\xe1.")
    assert (ran.exit_code, "standard input is not UTF-8 (byte 2)" in ran.stderr) == (2, True)


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize(
    "command", [["result"], ["cancel"], ["erase"], ["glossaries", "delete"], ["webhooks", "list"]]
)
def test_a_step_in_an_address_is_no_name(name, command):
    ran = dragoman(*command, name, "--url", NEVER_ASKED)
    assert (ran.exit_code, "is the name of nothing" in ran.stderr) == (2, True), ran.output


def test_a_download_whose_name_is_too_long_is_told(tmp_path):
    with pytest.raises(CommandError, match="cannot be written: File name too long"):
        Api(NEVER_ASKED, transport=httpx.MockTransport(lambda _: httpx.Response(200))).download(
            "job", tmp_path / ("a" * 250)
        )


def test_a_key_that_would_not_be_changed_is_told():
    ran = dragoman("keys", "change", "abc")
    assert (ran.exit_code, "nothing would change; give --scope or --expires" in ran.stderr) == (2, True)


def test_a_user_without_a_name_may_change_accounts(monkeypatch):
    def unknown():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert accounts.change_now().by == f"cli:uid {os.getuid()}"


@pytest.mark.parametrize(
    "command",
    [
        ["cost", "estimate", "--words", "1", "--remembered", "nan"],
        ["cost", "estimate", "--words", "1", "--device", "cpu", "--words-per-second", "inf"],
        ["simulate", "--startup", "nan"],
        ["simulate", "--startup", "inf"],
        ["analytics", "reconcile", "--settled", "nan"],
        ["analytics", "reconcile", "--settled", "inf"],
        ["usage", "--days", "20001", "--url", NEVER_ASKED],
        ["demo", "--workers", "0"],
        ["demo", "--words", "-1"],
    ],
)
def test_a_number_that_means_nothing_is_wrong_usage(command):
    ran = dragoman(*command)
    assert ran.exit_code == 2, ran.output
    assert ran.exception is None or isinstance(ran.exception, SystemExit)


def test_a_folder_of_models_that_may_not_be_read_is_named(monkeypatch, tmp_path):
    def refuse(_folders):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(models, "discover", refuse)
    ran = dragoman("models", "list", str(tmp_path))
    assert (ran.exit_code, ran.stderr) == (1, f"dragoman: {tmp_path}: Permission denied\n")


@pytest.mark.parametrize("content", ['{"unknown": 1}', "{", "[]"])
def test_what_another_version_wrote_of_a_run_is_told_with_its_cure(tmp_path, content):
    run_file_path(tmp_path).write_text(content)
    with pytest.raises(StackError, match="cannot be read; dragoman down, then dragoman up"):
        read_run_file(tmp_path)

"""The table of commands: help without imports, every command there, errors in one line."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.cli.api import wait_for
from producers.cli.errors import StoppedWaitingError, failure_of
from producers.cli.main import Commands, app
from producers.cli.topics import kept
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.topics import DAY_MS, Topic


def test_help_lists_every_command_and_imports_none_of_them():
    run = "from producers.cli.main import app; app(['--help'], standalone_mode=False)"
    code = f"import sys; {run}; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    *help_lines, modules = said.splitlines()
    listed = [line.split()[0] for line in help_lines[help_lines.index("Commands:") + 1 :] if line.strip()]
    assert listed == list(Commands.table)
    assert not {"confluent_kafka", "httpx", "producers.cli.topics", "rich.progress"} & set(modules.split())


def test_an_unknown_command_is_wrong_usage():
    ran = CliRunner().invoke(app, ["translat"])
    assert ran.exit_code == 2
    assert "No such command 'translat'" in ran.stderr


def test_topics_are_listed_without_kafka():
    ran = CliRunner().invoke(app, ["topics", "list"])
    assert ran.exit_code == 0
    assert ran.stdout.splitlines()[1].split() == [
        *("translation.requests.critical", "TranslationRequest", "tenant/request_id", "6", "7", "days")
    ]


def test_the_page_of_topics_is_up_to_date():
    ran = CliRunner().invoke(app, ["topics", "list", "--markdown"])
    page = Path(__file__).parents[3] / "docs" / "topics.md"
    assert page.read_text() == ran.stdout, "make it again: dragoman topics list --markdown > docs/topics.md"


def test_the_rights_of_tenants_are_printed_as_the_documentation_shows_them(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_KAFKA_TENANTS", '["acme"]')
    ran = CliRunner().invoke(app, ["topics", "acls"])
    page = Path(__file__).parents[3] / "docs" / "own_topics.md"
    assert len(ran.stdout.splitlines()) == 4
    assert f"```\n{ran.stdout}```\n" in page.read_text()


def test_rights_name_the_principal_and_the_login_that_are_asked_for(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_KAFKA_TENANTS", '["acme", "globex"]')
    asked = ["topics", "acls", "--principal", "User:CN={tenant},O=A B", "--command-config", "admin.properties"]
    first, *_, last = CliRunner().invoke(app, asked).stdout.splitlines()
    assert "--command-config admin.properties --add --allow-principal 'User:CN=acme,O=A B' --operation" in first
    assert "User:CN=globex,O=A B" in last


def test_without_such_tenants_no_rights_are_printed():
    assert CliRunner().invoke(app, ["topics", "acls"]).stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        *(["status"], ["down"], ["scale", "2"], ["scale", "--auto"], ["restart", "worker"]),
        *(["topics", "check"], ["result", "x"]),
    ],
)
def test_what_needs_a_running_platform_says_how_to_start_one(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_LOCAL_ROOT", str(tmp_path))
    ran = CliRunner().invoke(app, arguments)
    assert (ran.exit_code, ran.stdout) == (3, "")
    assert ran.stderr.endswith("start it: dragoman up\n")


@pytest.mark.parametrize("arguments", [["scale"], ["scale", "2", "--auto"]])
def test_workers_are_scaled_by_a_person_or_automatically(arguments):
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 2
    assert "a number of workers, or --auto" in ran.stderr


@pytest.mark.parametrize(
    ("error", "line", "exit_code"),
    [
        (PermanentError("x", "too long", limit="9", cure="split it"), "too long (limit: 9); split it", 1),
        (TransientError("Kafka: gone"), "Kafka: gone; is the platform running? see: dragoman status", 3),
        (FatalError("fenced"), "fenced", 1),
    ],
)
def test_the_platforms_own_errors_become_one_line(error, line, exit_code):
    failure = failure_of(error)
    assert failure
    assert (str(failure), failure.exit_code) == (line, exit_code)


def test_an_unexpected_error_keeps_its_trace():
    assert failure_of(KeyError("x")) is None


@pytest.mark.parametrize(
    ("retention_ms", "cleanup", "words"),
    [
        (7 * DAY_MS, "delete", "7 days"),
        (30 * DAY_MS, "compact,delete", "30 days, compacted"),
        (-1, "compact", "for ever, compacted"),
    ],
)
def test_retention_is_said_in_days(retention_ms, cleanup, words):
    assert kept(Topic("t", "M", "k", 1, retention_ms, cleanup)) == words


def test_a_limit_of_size_is_said_in_gigabytes():
    assert kept(Topic("t", "M", "k", 1, 7 * DAY_MS, retention_bytes=10**9)) == "7 days or 1 GB a partition"


class InterruptedApi:
    """The user presses Ctrl-C during the second poll."""

    def __init__(self) -> None:
        self._polls = 0

    def job(self, job_id, wait_seconds=0):
        self._polls += 1
        if self._polls == 2:
            raise KeyboardInterrupt
        return {"is_finished": False}


def test_ctrl_c_while_waiting_says_how_to_come_back():
    polls: list[dict] = []
    with pytest.raises(StoppedWaitingError, match="come back with: dragoman result job-7 --wait") as stopped:
        wait_for(InterruptedApi(), "job-7", polls.append, polls_until_unknown=1)
    assert stopped.value.exit_code == 130
    assert polls == [{"is_finished": False}]

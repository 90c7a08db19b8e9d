"""Arguments and answers that nobody expects: each ends a command with a line that says what to do."""

import shlex
from http.server import BaseHTTPRequestHandler

import pytest
from typer.testing import CliRunner

from connectors.telemetry.health import BackgroundServer
from deploy.local.state_files import RunInfo
from producers.cli import stack
from producers.cli.main import app
from producers.cli.tenants import limits_of
from producers.cli.wishes import Wishes

NEVER_ASKED = "http://127.0.0.1:1"


def dragoman(*arguments, **env):
    return CliRunner().invoke(app, arguments, env=env)


@pytest.fixture
def other_server():
    """Return a function that starts a server which answers everything with this."""
    servers = []

    def started(status, body, kind="text/html"):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_DELETE = do_GET  # noqa: N815  # names of http.server

            def log_message(self, *_args) -> None:
                pass

        servers.append(BackgroundServer(Handler, "127.0.0.1", 0, "other"))
        return f"http://127.0.0.1:{servers[-1].port}"

    yield started
    for server in servers:
        server.close()


def test_an_overlap_without_a_rotation_is_refused():
    ran = dragoman("webhooks", "secret", "--overlap", "7d", "--url", NEVER_ASKED)
    assert ran.exit_code == 2
    assert "add --rotate" in ran.stderr


def test_a_limit_is_taken_as_it_is_written_or_refused():
    assert limits_of(["requests_per_minute=123456789012345"]) == {"requests_per_minute": 123456789012345}
    for digits in (16, 5000):
        ran = dragoman("tenants", "change", "acme", "--limit", f"requests_per_minute={'9' * digits}")
        assert ran.exit_code == 2
        assert f"--limit requests_per_minute has a number of {digits} digits; write 15 at most" in ran.stderr


def test_a_priority_of_many_digits_is_left_to_the_platform_to_refuse():
    assert Wishes(priority="50").as_json()["priority"] == 50
    assert Wishes(priority="9" * 5000).as_json()["priority"] == "9" * 5000


def test_the_path_of_a_login_is_one_word_of_the_shell():
    env = {"DRAGOMAN_KAFKA_TENANTS": '["acme"]'}
    ran = dragoman("topics", "acls", "--command-config", "/etc/my kafka/$(admin).properties", **env)
    for line in ran.stdout.splitlines():
        words = shlex.split(line)
        assert words[words.index("--command-config") + 1] == "/etc/my kafka/$(admin).properties"
        assert "--command-config '" in line


@pytest.mark.parametrize(
    "url",
    [
        *(
            "localhost:8080",
            "http://h:abc",
            "http://h:99999",
            "http://[::1",
            "http://a..b",
            "ftp://h",
            "http://",
            "/x",
        ),
        f"http://{'a' * 70}.de",
    ],
)
@pytest.mark.parametrize("command", [["result", "job"], ["usage"], ["cost", "report"], ["dashboard"]])
def test_an_address_that_is_none_is_named(url, command):
    ran = dragoman(*command, "--url", url)
    assert ran.exit_code == 2, ran.output
    assert "which is no address of HTTP; write it as http://127.0.0.1:8080" in ran.stderr


@pytest.mark.parametrize(
    ("name", "command"),
    [("DRAGOMAN_API_URL", ["glossaries", "list"]), ("DRAGOMAN_ANALYTICS_URL", ["analytics", "rebuild"])],
)
def test_an_address_of_the_environment_is_named_without_its_password(name, command):
    ran = dragoman(*command, **{name: "http://me:secret@h:x"})
    assert (ran.exit_code, name in ran.stderr, "secret" in ran.stderr) == (2, True, False), ran.output


@pytest.mark.parametrize("key", ["ключ", "drg_1_2\n", "drg_1_2 "])
def test_a_key_that_no_header_can_have_is_refused_and_not_shown(key):
    ran = dragoman("result", "job", "--url", NEVER_ASKED, DRAGOMAN_API_KEY=key)
    assert (ran.exit_code, key in ran.stderr) == (2, False), ran.output
    assert "DRAGOMAN_API_KEY holds signs that no key has" in ran.stderr


@pytest.mark.parametrize(
    "answer",
    [
        *((200, b"<html>"), (302, b""), (404, b"{}"), (500, b"[]", "application/problem+json")),
        (400, b"no JSON", "application/problem+json"),
    ],
)
def test_another_server_at_the_address_is_no_dragoman(other_server, answer):
    ran = dragoman("result", "job", "--url", other_server(*answer))
    assert ran.exit_code == 1
    assert "is this the address of Dragoman?" in ran.stderr


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b'{"rows": 1}'), (200, b"[]"), (302, b"")])
@pytest.mark.parametrize("command", [["usage"], ["cost", "report"], ["dashboard", "--no-open"]])
def test_another_server_at_the_address_is_no_clickhouse(other_server, answer, command):
    ran = dragoman(*command, "--url", other_server(*answer))
    assert ran.exit_code == 1, ran.output
    assert ran.stderr.startswith("dragoman: "), ran.stderr


@pytest.mark.parametrize("typed", ["999999w", "9999-12-31T23:59-23:59"])
def test_a_moment_that_no_calendar_has_is_refused(typed):
    ran = dragoman("translate", "x", "--to", "pt", "--deadline", typed, "--url", NEVER_ASKED)
    assert ran.exit_code == 2, ran.output
    assert "--deadline is" in ran.stderr


def run_info(**health_urls: str) -> RunInfo:
    return RunInfo(
        kafka_bootstrap="k",
        analytics_url="a",
        redis_cache_url="c",
        data_dir="d",
        http_url=NEVER_ASKED,
        redis_state_url="redis://127.0.0.1:1/0",
        supervisor_pid=1,
        started_at=0.0,
        processes=dict.fromkeys(health_urls, 2),
        health_urls=health_urls,
    )


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((404, b"<html>"), "answers 404, without a reason"),
        ((503, b"Service Unavailable", "text/plain"), "answers 503, without a reason"),
        ((503, b"[]", "application/json"), "answers 503, without a reason"),
        ((503, b"\xff\xfe", "application/json"), "answers 503, without a reason"),
        ((503, b'{"reason": "starting"}', "application/json"), "starting"),
        ((200, b"Prometheus Server is Ready.", "text/plain"), "ready"),
    ],
)
def test_what_answers_at_a_health_port_is_told_as_it_is(other_server, monkeypatch, tmp_path, answer, state):
    run = run_info(worker=other_server(*answer))
    monkeypatch.setattr(stack, "running", lambda _root: run)
    ran = dragoman("status", "--root", str(tmp_path))
    assert ran.exit_code == (0 if state == "ready" else 1), ran.output
    assert ran.stdout.splitlines()[-1].split(maxsplit=2)[2] == state


def test_a_state_address_where_something_else_answers_is_no_trace(other_server):
    address = other_server(404, b"<html>").replace("http://", "redis://")
    assert stack.state_fault(f"{address}/0") == ""

"""`dragoman translate`, `submit`, `result` against a small HTTP server that answers like Dragoman's."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from typer.testing import CliRunner

from producers.cli.api import Api
from producers.cli.main import app

RUNNING = {
    "job_id": "job",
    "status": "RUNNING",
    "stage": "SEGMENTED",
    "is_finished": False,
    "progress": 25,
    "segments": 4,
    "batches": 8,
    "batches_done": 2,
    "queue_position": 3,
    "estimated_completion_seconds": 12.0,
    "result": None,
}
RESULT: dict = {"status": "COMPLETED", "text": "Bom dia.", "holes": [], "error": None}
FINISHED = RUNNING | {
    "status": "COMPLETED",
    "stage": "FINISHED",
    "is_finished": True,
    "progress": 100,
    "result": RESULT,
}
UNKNOWN = {
    "type": "urn:dragoman:problem:unknown_job",
    "status": 404,
    "detail": "there is no job",
    "cure": "use the id",
}


@dataclass
class Platform:
    """Answers GETs in turn, the last one for ever; remembers what was posted."""

    url: str = ""
    jobs: list[dict] = field(default_factory=lambda: [FINISHED])
    refusal: dict | None = None
    posted: list[dict] = field(default_factory=list)

    def answer(self, method: str, body: bytes) -> tuple[int, dict]:
        if self.refusal:
            return self.refusal["status"], self.refusal
        if method == "POST":
            self.posted.append(json.loads(body))
            return 202, {"job_id": "job", "status_url": "", "priority": "standard", "sla_seconds": 600}
        job = self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
        return job["status"] if job is UNKNOWN else 200, job


@pytest.fixture
def platform() -> Iterator[Platform]:
    known = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = known.answer(self.command, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/problem+json" if status >= 400 else "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_POST = do_DELETE = do_GET  # noqa: N815  # names of http.server

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    known.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield known
    server.shutdown()
    server.server_close()
    thread.join()


def dragoman(platform, *arguments, **rest):
    return CliRunner().invoke(app, [*arguments, "--url", platform.url], **rest)


def test_translate_prints_the_translation_and_nothing_else(platform):
    ran = dragoman(platform, "translate", "Good morning.", "--from", "en", "--to", "pt", "--priority", "critical")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "Bom dia.\n", "")
    assert platform.posted == [
        {"text": "Good morning.", "source_language": "en", "target_language": "pt", "priority": "critical"}
    ]


def test_a_text_may_have_tags_and_every_wish_that_the_door_takes(platform):
    wishes = (
        "--format", "html", "--do-not-translate", "Ana", "--label", "project=alpha", "--callback", "https://x.example/",
        "--deadline", "2100-01-01", "--filter-option", "ignore_tags=b", "--engine-option", "beam_size=2",
    )  # fmt: skip
    assert dragoman(platform, "translate", "<p>Hi</p>", "--to", "pt", *wishes).exit_code == 0
    assert platform.posted == [
        {
            "text": "<p>Hi</p>",
            "source_language": "auto",
            "target_language": "pt",
            "format": "html",
            "priority": "standard",
            "do_not_translate": ["Ana"],
            "labels": {"project": "alpha"},
            "callback": "https://x.example/",
            "deadline": "2100-01-01T00:00:00+00:00",
            "filter_options": {"ignore_tags": "b"},
            "engine_options": {"beam_size": "2"},
        }
    ]


def test_translate_reads_standard_input_and_sends_a_score_as_a_number(platform):
    ran = dragoman(platform, "translate", "-", "--to", "pt", "--priority", "95", input="Good morning.\n")
    assert ran.exit_code == 0
    assert (platform.posted[0]["text"], platform.posted[0]["priority"]) == ("Good morning.\n", 95)


def test_an_accepted_job_may_become_visible_a_moment_later(platform):
    platform.jobs = [UNKNOWN, RUNNING, FINISHED]
    assert dragoman(platform, "translate", "a", "--to", "pt").stdout == "Bom dia.\n"


def test_submit_prints_the_id_for_scripts_and_the_next_step_for_people(platform, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("Good morning.")
    ran = dragoman(platform, "submit", str(file), "--to", "pt")
    assert (ran.exit_code, ran.stdout) == (0, "job\n")
    assert "dragoman result job --wait" in ran.stderr
    assert platform.posted[0]["text"] == "Good morning."


def test_submit_and_wait_shows_the_progress_on_a_terminal_and_writes_the_translation(
    platform, tmp_path, monkeypatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    file, output = tmp_path / "a.txt", tmp_path / "b.txt"
    file.write_text("Good morning.")
    platform.jobs = [RUNNING, FINISHED]
    ran = dragoman(platform, "submit", str(file), "--to", "pt", "--wait", "--output", str(output))
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert output.read_text() == "Bom dia."
    assert "completed" in ran.stderr


def test_line_ends_of_a_file_are_sent_and_written_as_they_are(platform, tmp_path):
    file, output = tmp_path / "a.txt", tmp_path / "b.txt"
    file.write_bytes(b"One.\r\nTwo.\r\n")
    platform.jobs = [FINISHED | {"result": RESULT | {"text": "Um.\r\nDois.\r\n"}}]
    ran = dragoman(platform, "submit", str(file), "--to", "pt", "--wait", "--output", str(output))
    assert (ran.exit_code, platform.posted[0]["text"]) == (0, "One.\r\nTwo.\r\n")
    assert output.read_bytes() == b"Um.\r\nDois.\r\n"


def test_result_says_how_far_an_unfinished_job_is(platform):
    platform.jobs = [RUNNING]
    ran = dragoman(platform, "result", "job")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == (
        "dragoman: not finished: segmented, 25%, about 12 s left, 3 ahead in the queue; "
        "wait for it with: dragoman result job --wait\n"
    )


def test_result_as_json_is_the_whole_job(platform):
    platform.jobs = [RUNNING]
    ran = dragoman(platform, "result", "job", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)) == (0, RUNNING)


def test_untranslated_segments_are_reported_beside_the_text(platform):
    platform.jobs = [FINISHED | {"result": RESULT | {"holes": [{"segment": 2, "cause": "engine_failed"}]}}]
    ran = dragoman(platform, "result", "job")
    assert (ran.exit_code, ran.stdout) == (0, "Bom dia.\n")
    assert ran.stderr == "1 of 4 segments stay untranslated: engine_failed\n"


def test_the_texts_of_an_array_are_lines(platform):
    texts = {"text": None, "translations": [{"id": "a", "text": "Salvar"}, {"id": None, "text": "Abrir"}]}
    platform.jobs = [FINISHED | {"result": RESULT | texts}]
    ran = dragoman(platform, "result", "job")
    assert (ran.exit_code, ran.stdout) == (0, "Salvar\nAbrir\n")


def test_a_failed_job_fails_the_command_with_its_reason(platform):
    failed = RESULT | {"status": "FAILED", "text": None, "error": {"cause": "x", "message": "nobody does"}}
    platform.jobs = [FINISHED | {"status": "FAILED", "result": failed}]
    ran = dragoman(platform, "result", "job")
    assert (ran.exit_code, ran.stderr) == (1, "dragoman: the job is FAILED: nobody does\n")


def test_a_refusal_is_one_line_with_the_limit_and_the_cure(platform):
    platform.refusal = {"status": 422, "detail": "no such pair", "limit": "en-pt", "cure": "ask for one of en-pt"}
    ran = dragoman(platform, "translate", "a", "--to", "ja")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == "dragoman: no such pair (limit: en-pt); ask for one of en-pt\n"


def test_an_unknown_job_fails(platform):
    platform.jobs = [UNKNOWN]
    ran = dragoman(platform, "result", "job")
    assert (ran.exit_code, ran.stderr) == (1, "dragoman: there is no job; use the id\n")


def test_a_platform_that_is_overloaded_counts_as_not_running(platform):
    platform.refusal = {"status": 503, "detail": "Kafka is away", "cure": "send it again in 5 s"}
    assert dragoman(platform, "translate", "a", "--to", "pt").exit_code == 3


def test_nobody_at_the_address_is_exit_code_3():
    ran = CliRunner().invoke(app, ["result", "job", "--url", "http://127.0.0.1:9"])
    assert (ran.exit_code, ran.stdout) == (3, "")
    assert ran.stderr == "dragoman: nothing answers at http://127.0.0.1:9; start it with: dragoman up\n"


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, [], "cannot be read: No such file or directory; name an existing text file"),
        (b"\xff", [], "is not UTF-8 (byte 0); convert it with iconv"),
        (b"a", ["--output", "x"], "--output needs the translation; add --wait"),
    ],
)
def test_wrong_usage_is_exit_code_2(platform, tmp_path, content, arguments, message):
    file = tmp_path / "a.txt"
    if content is not None:
        file.write_bytes(content)
    ran = dragoman(platform, "submit", str(file), "--to", "pt", *arguments)
    assert ran.exit_code == 2
    assert ran.stderr.endswith(f"{message}\n")
    assert not platform.posted


def test_cancel_says_that_it_is_requested_and_with_wait_that_it_is_done(platform):
    platform.jobs = [RUNNING]
    assert dragoman(platform, "cancel", "job").stderr == "cancellation requested\n"
    platform.jobs = [RUNNING, FINISHED | {"status": "CANCELLED"}]
    ran = dragoman(platform, "cancel", "job", "--wait")
    assert (ran.exit_code, ran.stderr) == (0, "cancelled\n")


def test_cancelling_a_finished_job_fails_and_names_the_next_step(platform):
    ran = dragoman(platform, "cancel", "job")
    assert ran.exit_code == 1
    assert ran.stderr == "dragoman: too late: the job is COMPLETED; read it with: dragoman result job\n"


def test_an_id_may_hold_what_means_something_in_addresses():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.url.query))
        return httpx.Response(200, json={})

    with Api("http://platform", transport=httpx.MockTransport(answer)) as api:
        api.cancel("who? #1 50%")
    assert asked == [("DELETE", "/api/v1/translations/who? #1 50%", b"")]

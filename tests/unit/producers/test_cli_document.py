"""`dragoman document` against a small HTTP server: which files, what is sent, what is written, going on."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.cli.document_files import document_files
from producers.cli.errors import UsageError
from producers.cli.main import app

RESULT: dict = {"status": "COMPLETED", "holes": [], "error": None, "file_name": "x.pt.txt"}
FINISHED = {
    "job_id": "job",
    "status": "COMPLETED",
    "stage": "FINISHED",
    "is_finished": True,
    "progress": 100,
    "queue_position": None,
    "estimated_completion_seconds": None,
    "result": RESULT,
}
FAILED = FINISHED | {
    "status": "FAILED",
    "result": RESULT | {"file_name": None, "error": {"cause": "no_text", "message": "the document has no text"}},
}


@dataclass
class Platform:
    """Accepts files, and translates each to its content in capitals."""

    url: str = ""
    job: dict = field(default_factory=lambda: FINISHED)
    bodies: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        self.asked.append(path)
        if method == "POST":
            self.bodies.append(body)
            return json.dumps({"job_id": "job"}).encode()
        return b"TRANSLATED" if path.partition("?")[0].endswith("/download") else json.dumps(self.job).encode()


@pytest.fixture
def platform() -> Iterator[Platform]:
    known = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = known.answer(self.command, self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815  # names of http.server

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    yield known
    server.shutdown()
    server.server_close()


def run(platform, *arguments):
    return CliRunner().invoke(app, ["document", *map(str, arguments), "--to", "pt", "--url", platform.url])


def test_a_file_is_sent_and_its_translation_lies_beside_it(platform, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"Good morning.")
    done = run(platform, tmp_path / "a.txt", "--from", "en", "--priority", "high")
    assert (done.exit_code, done.stdout.strip()) == (0, str(tmp_path / "a.pt.txt"))
    assert (tmp_path / "a.pt.txt").read_bytes() == b"TRANSLATED"
    (body,) = platform.bodies
    for part in (b"Good morning.", b'filename="a.txt"', b'name="source_language"\r\n\r\nen', b"\r\n\r\nhigh"):
        assert part in body
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_run_again_only_what_is_missing_or_newer_is_sent(platform, tmp_path):
    for name in ("a.txt", "b.txt", "deep/c.txt", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert run(platform, tmp_path).exit_code == 0
    assert len(platform.bodies) == 3
    again = run(platform, tmp_path)
    assert (again.exit_code, again.stdout, len(platform.bodies)) == (0, "", 3)
    (tmp_path / "deep/c.pt.txt").unlink()
    later = (tmp_path / "a.pt.txt").stat().st_mtime + 5
    os.utime(tmp_path / "a.txt", (later, later))
    assert run(platform, tmp_path).exit_code == 0
    assert len(platform.bodies) == 5


def test_the_same_file_is_the_same_job_until_it_is_asked_for_anew(platform, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    ids = []
    for extra in ((), (), ("--again",)):
        (tmp_path / "a.pt.txt").unlink(missing_ok=True)
        assert run(platform, tmp_path / "a.txt", *extra).exit_code == 0
        ids.append(platform.bodies[-1].partition(b'name="request_id"\r\n\r\n')[2][:36])
    assert ids[0] == ids[1] != ids[2]


def test_a_document_that_fails_ends_with_its_reason_and_the_others_go_on(platform, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    platform.job = FAILED
    failed = run(platform, tmp_path)
    assert failed.exit_code == 1
    assert failed.stderr.count("the document has no text") == 2
    assert not (tmp_path / "a.pt.txt").exists()


def test_holes_are_told_with_their_places(platform, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    platform.job = FINISHED | {"status": "PARTIAL", "result": RESULT | {"holes": [{"place": "line 3"}]}}
    told = run(platform, tmp_path / "a.txt")
    assert "1 sentences stay untranslated (line 3)" in told.stderr


def test_translations_may_go_to_a_folder_that_repeats_the_folders_of_the_files(tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/a.docx").touch()
    (tmp_path / "in/b.pdf").touch()
    found = document_files([str(tmp_path / "in")], "pt-BR", tmp_path / "out")
    assert [one.output for one in found] == [tmp_path / "out/b.pt-BR.docx", tmp_path / "out/deep/a.pt-BR.docx"]


def test_patterns_name_files_and_leave_translations_out(tmp_path):
    for name in ("a.txt", "a.pt.txt", "b.pt.txt", "c.md"):
        (tmp_path / name).touch()
    found = document_files([str(tmp_path / "*.txt")], "pt", None)
    assert [one.source.name for one in found] == ["a.txt", "b.pt.txt"]


@pytest.mark.parametrize(("names", "output"), [(("a/x.docx", "b/x.docx"), "out"), (("a/x.pdf", "a/x.docx"), None)])
def test_two_files_that_would_become_one_are_refused_before_anything_is_sent(platform, tmp_path, names, output):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = [tmp_path / name for name in names]
    refused = run(platform, *files, *(("--output", tmp_path / output) if output else ()))
    assert (refused.exit_code, platform.asked) == (2, [])
    assert f"{files[0]} and {files[1]} would both become" in refused.stderr


def test_a_file_that_is_named_twice_is_translated_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").touch()
    found = document_files([".", "x.txt", str(tmp_path / "x.txt")], "pt", tmp_path / "out")
    assert len(found) == 1


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(platform, tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    opened = Path.open

    def refusing(path, *arguments, **options):
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refusing)
    done = run(platform, tmp_path)
    assert (done.exit_code, done.stdout.strip()) == (1, str(tmp_path / "b.pt.txt"))
    assert f"{tmp_path / 'a.txt'}: it cannot be read: Permission denied" in done.stderr


@pytest.mark.parametrize("name", ["nothing.txt", "*.none", "."])
def test_a_name_that_is_no_file_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        document_files([name], "pt", None)


def test_a_bilingual_file_lies_beside_the_translation_and_is_no_document(platform, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    done = run(platform, tmp_path, "--bilingual", "html")
    assert done.stdout.split() == [str(tmp_path / "a.pt.txt"), str(tmp_path / "a.txt.pt.html")]
    assert any("bilingual=html" in path for path in platform.asked)
    assert run(platform, tmp_path, "--bilingual", "html").stdout == ""
    (tmp_path / "a.txt.pt.html").unlink()
    assert run(platform, tmp_path, "--bilingual", "html").exit_code == 0
    assert len(platform.bodies) == 2


def test_all_that_the_door_takes_can_be_wished_for(platform, tmp_path):
    (tmp_path / "a.csv").write_text("one")
    wishes = (
        "--do-not-translate", "Ana", "--do-not-translate", "Bo", "--label", "project=alpha", "--callback",
        "https://x.example/", "--deadline", "2100-01-01", "--late-policy", "serve", "--filter-option", "columns=2",
        "--engine-option", "beam_size=2", "--glossary", "terms",
    )  # fmt: skip
    assert run(platform, tmp_path / "a.csv", *wishes).exit_code == 0
    (body,) = platform.bodies
    for part in (
        b'name="do_not_translate"\r\n\r\nAna', b'name="do_not_translate"\r\n\r\nBo',
        b'name="labels"\r\n\r\n{"project": "alpha"}', b'name="callback"\r\n\r\nhttps://x.example/',
        b'name="deadline"\r\n\r\n2100-01-01T00:00:00+00:00', b'name="late_policy"\r\n\r\nserve',
        b'name="filter_options"\r\n\r\n{"columns": "2"}', b'name="engine_options"\r\n\r\n{"beam_size": "2"}',
        b'name="glossaries"\r\n\r\nterms',
    ):  # fmt: skip
        assert part in body
    wrong = run(platform, tmp_path / "a.csv", "--again", "--label", "alpha")
    assert (wrong.exit_code, "--label is 'alpha', which is no NAME=VALUE" in wrong.stderr) == (2, True)


def test_a_deadline_that_counts_from_now_makes_no_other_job(platform, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    ids = set()
    for deadline in ("2h", "3h"):
        (tmp_path / "a.pt.txt").unlink(missing_ok=True)
        assert run(platform, tmp_path / "a.txt", "--deadline", deadline).exit_code == 0
        ids.add(platform.bodies[-1].partition(b'name="request_id"\r\n\r\n')[2][:36])
    assert len(ids) == 1


def test_translations_in_a_folder_inside_are_no_files_to_translate(tmp_path):
    texts = tmp_path / "texts"
    for name in ("a.txt", "pt/a.pt.txt", "ptx/b.txt"):
        (texts / name).parent.mkdir(parents=True, exist_ok=True)
        (texts / name).write_text("A text.")
    inside = document_files([str(texts)], "pt", texts / "pt")
    assert sorted(one.source.relative_to(texts).as_posix() for one in inside) == ["a.txt", "ptx/b.txt"]
    for output in (texts, tmp_path):
        assert texts / "a.txt" in {one.source for one in document_files([str(texts)], "pt", output)}

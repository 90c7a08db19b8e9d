"""`dragoman glossaries` and `--glossary`, against a transport that answers as the platform does."""

import json

import httpx
import pytest
from typer.testing import CliRunner

from producers.cli import glossaries, translate
from producers.cli.api import Api
from producers.cli.main import app

MADE = {
    "exact_name": "terms@2",
    "source_language": "en",
    "target_language": "pt",
    "entry_count": 1,
    "versions": [1, 2],
    "created_at": "2026-11-30T00:00:00Z",
}


@pytest.fixture
def asked(monkeypatch):
    """What the platform was asked."""
    requests: list[httpx.Request] = []

    def answer(request):
        requests.append(request)
        if request.url.path.endswith("/translations"):
            return httpx.Response(202, json={"job_id": "job"})
        if request.method == "DELETE":
            return httpx.Response(204)
        if request.url.path.endswith("/terms@1"):
            return httpx.Response(200, text="release\tliberação\n")
        return httpx.Response(200, json=MADE if request.method == "POST" else [MADE])

    def opened(_url, tenant=None):
        return Api("http://platform", "key", tenant, httpx.MockTransport(answer))

    for module in (glossaries, translate):
        monkeypatch.setattr(module, "open_api", opened)
    return requests


def run(*arguments):
    return CliRunner().invoke(app, ["glossaries", *arguments])


def test_a_file_is_sent_as_what_its_ending_says(asked, tmp_path):
    file = tmp_path / "terms.csv"
    file.write_text("release,liberação\n")
    ran = run("create", "terms", str(file), "--from", "en", "--to", "pt", "--tenant", "acme")
    assert (ran.exit_code, ran.stdout) == (0, "terms@2\n")
    (request,) = asked
    assert (request.headers["content-type"], request.content) == ("text/csv", file.read_bytes())
    assert dict(request.url.params) == {
        "name": "terms", "source_language": "en", "target_language": "pt", "tenant": "acme",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["terms.xls", "none.csv"])
def test_a_file_of_another_ending_and_one_that_is_not_there_are_wrong_usage(asked, tmp_path, name):
    ran = run("create", "terms", str(tmp_path / name), "--from", "en", "--to", "pt")
    assert (ran.exit_code, asked) == (2, [])
    assert "name a" in ran.output


def test_glossaries_are_listed_shown_and_deleted(asked):
    assert "terms@2" in run("list").stdout
    assert run("show", "terms@1").stdout == "release\tliberação\n"
    assert run("delete", "terms").exit_code == 0
    assert [one.url.path.rpartition("/")[2] for one in asked] == ["glossaries", "terms@1", "terms"]


def test_a_text_is_sent_with_the_glossaries_that_are_named(asked, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("The release.")
    arguments = ["submit", str(file), "--to", "pt", "--glossary", "a", "--glossary", "b@1"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert json.loads(asked[0].content)["glossaries"] == ["a", "b@1"]

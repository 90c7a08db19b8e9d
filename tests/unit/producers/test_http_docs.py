"""The page of the interfaces at /docs: Swagger UI from files of ours; its policy lets nothing foreign in."""

import re
import tomllib
from pathlib import Path

import pytest

from producers.http.description.docs_routes import DOCS
from schemas.topics import TopicPlan

ROOT = Path(__file__).parents[3]
FILES = sorted(path.name for path in (DOCS / "assets").iterdir())
OWN = [DOCS / "index.html", DOCS / "assets" / "docs.js", DOCS / "assets" / "docs.css"]


def policy_of(answer):
    return dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))


def test_the_page_needs_no_key(http):
    answer = http.showing("").get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/asyncapi.json" in answer.text
    assert http.showing("").ask("HEAD", "/docs").status_code == 200


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_it_is_served(http, name):
    answer = http.showing("").get(f"/docs/assets/{name}")
    assert answer.content == (DOCS / "assets" / name).read_bytes()


@pytest.mark.parametrize("url", ["/docs", "/docs/assets/swagger-ui-bundle.js"])
def test_a_browser_may_run_and_ask_nothing_but_ours(http, url):
    policy = policy_of(http.get(url))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["connect-src"], policy["style-src"]) == ("'self'",) * 3
    assert policy["img-src"] == "'self' data:"
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_what_we_wrote_of_it_names_no_host(path):
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", path.read_text()) == []


def test_swagger_ui_comes_with_its_licence_and_those_of_its_parts():
    assert "Apache License" in (DOCS / "assets" / "LICENSE").read_text()
    assert {"NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} <= set(FILES)


def test_every_file_of_the_description_is_packaged():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packaged = {
        path for glob in setuptools["package-data"]["producers"] for path in (ROOT / "producers").glob(glob)
    }
    assert {
        path for path in DOCS.parent.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    } <= packaged


def test_the_topics_are_described_as_this_deployment_has_them(http):
    http.app.state.topics = TopicPlan(pools=("default", "gpu"))
    document = http.showing("").get("/asyncapi.json").json()
    assert document["asyncapi"] == "3.0.0"
    assert "translation.batches.gpu.high" in document["channels"]


def test_no_page_of_the_framework_is_left(http):
    assert http.get("/redoc").status_code == 404
    assert http.get("/docs/oauth2-redirect").status_code == 404

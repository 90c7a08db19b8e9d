"""The page at /: what is served, what its browser may do, and that it needs nobody else."""

import posixpath
import re
import tomllib
from pathlib import Path

import pytest

from connectors.web_page.files import PARTS
from producers.http.page_routes import PAGE
from stream_apps.dashboard.routes import PAGE as DASHBOARD

ROOT = Path(__file__).parents[3]
OWN = sorted(path for path in PAGE.rglob("*") if path.is_file())
SHARED = sorted(path for path in PARTS.rglob("*") if path.is_file())
FILES = [*OWN, *SHARED]
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# The name of a language for drawings, which nobody fetches.
SVG = "http://www.w3.org/2000/svg"
MOST_LINES = 300


def policy_of(answer):
    parts = (part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    return dict(parts)


def test_the_page_needs_no_key_and_is_html(http):
    answer = http.showing("").get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")
    assert http.showing("").ask("HEAD", "/").status_code == 200


def url_of(path):
    return f"assets/{path.relative_to(PARTS)}" if path in SHARED else str(path.relative_to(PAGE))


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != PAGE], ids=url_of)
def test_every_file_of_it_is_served_with_its_type(http, path):
    answer = http.showing("").get(f"/{url_of(path)}")
    assert answer.status_code == 200
    assert (
        answer.headers["content-type"].split(";")[0].replace("application/java", "text/java") == TYPES[path.suffix]
    )
    assert answer.content == path.read_bytes()


@pytest.mark.parametrize("url", ["/", "/assets/main.js", "/assets/theme.css", "/assets/base.css"])
def test_a_browser_may_run_and_ask_nothing_but_ours(http, url):
    answer = http.get(url)
    policy = policy_of(answer)
    assert policy["default-src"] == "'none'"
    ours = {name: value for name, value in policy.items() if name.endswith("-src") and value != "'none'"}
    assert set(ours) == {"script-src", "style-src", "img-src", "connect-src"}
    assert set(ours.values()) == {"'self'"}
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("url", ["/", "/assets/main.js"])
def test_a_browser_asks_each_time_and_is_told_that_nothing_changed(http, url):
    first = http.get(url)
    assert first.headers["cache-control"] == "no-cache"
    again = http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert policy_of(again) == policy_of(first)


@pytest.mark.parametrize(
    "url",
    [
        "/assets/none.js",
        "/assets/",
        "/assets/../index.html",
        "/assets/%2e%2e/%2e%2e/app.py",
        "/assets/..%2f..%2fapp.py",
        "/index.html",
        "/page_routes.py",
    ],
)
def test_nothing_else_is_served(http, url):
    answer = http.get(url)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_addresses_of_the_api_are_still_problems_of_the_api(http):
    assert http.get("/api/v1/nothing").json()["type"] == "urn:dragoman:problem:not_found"
    assert http.post("/").status_code == 405
    assert "/" not in http.app.openapi()["paths"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_host(path):
    text = path.read_text("utf-8").replace(SVG, "")
    assert not re.search(r"\w+://|[\"'(]//\w", text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_makes_code_or_markup_of_text(path):
    text = path.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    assert len(text.splitlines()) <= MOST_LINES


def asked_for(page, html):
    """Return the addresses that the HTML asks for, and all that these ask for in turn."""
    found = set(re.findall(r"(?:src|href)=\"(assets/[^\"]+)\"", html))
    waiting = sorted(found)
    while waiting:
        url = waiting.pop()
        path = next(path for folder in (page / "assets", PARTS) if (path := folder / url[7:]).is_file())
        text = path.read_text("utf-8") if path.suffix == ".js" else ""
        for name in re.findall(r"from \"(\.[^\"]+)\"", text):
            more = posixpath.normpath(posixpath.join(posixpath.dirname(url), name))
            waiting += {more} - found
            found.add(more)
    return found


def test_every_file_is_asked_for_and_every_file_that_is_asked_for_is_there():
    html = (PAGE / "index.html").read_text("utf-8")
    assert asked_for(PAGE, html) == {url_of(path) for path in FILES if path.parent != PAGE}


def test_the_dashboard_is_made_of_the_same_parts_and_none_stands_twice():
    shared = {url_of(path) for path in SHARED}
    assert shared <= asked_for(DASHBOARD, (DASHBOARD / "index.html").read_text("utf-8"))
    for page in (PAGE, DASHBOARD):
        assert not [url for url in shared if (page / url).exists()]


def test_every_element_that_a_script_looks_for_is_on_the_page():
    ids = re.findall(r"\sid=\"([^\"]+)\"", (PAGE / "index.html").read_text("utf-8"))
    assert len(ids) == len(set(ids))
    wanted = {name for path in FILES for name in re.findall(r"byId\(\"([^\"]+)\"\)", path.read_text("utf-8"))}
    assert wanted
    assert wanted <= set(ids)


def test_every_file_is_packaged():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    packaged = {
        path
        for package in ("producers", "connectors")
        for glob in setuptools["package-data"][package]
        for path in (ROOT / package).glob(glob)
    }
    assert set(FILES) <= packaged

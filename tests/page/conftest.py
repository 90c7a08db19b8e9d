"""A browser before the page. What the browser complains about, or asks of anybody else, fails the test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.conftest import missing
from tests.page.person import Person
from tests.page.platform import Site, new_site

# Milliseconds. The machine may be busy; on a quiet one nothing waits so long.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

SHOTS = Path(".dragoman/page")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What a browser writes by itself when an answer is no success, or when nobody answers.
_EXPECTED = "Failed to load resource"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        missing("chromium (tests/page/prepare.sh)")
    # Chromium's sandbox refuses to run for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = new_site()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def person(browser: Browser, site: Site) -> Iterator[Person]:
    with watched(browser.new_context(base_url=site.url, accept_downloads=True), site.url) as page:
        yield Person(page)


class watched:  # noqa: N801  # reads as a verb
    """A page of that context; at the end nothing may have gone wrong unnoticed."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._context = context
        self._host = urlsplit(url).netloc
        self.complaints: list[str] = []

    def __enter__(self) -> Page:
        self._context.set_default_timeout(PATIENCE)
        self._context.on("console", self._heard)
        self._context.on("request", lambda request: self._asked(request.url))
        self._context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return self._context.new_page()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._context.close()
        assert kind or not self.complaints, self.complaints

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_EXPECTED):
            self.complaints.append(message.text)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"blob", "data"} and parts.netloc != self._host:
            self.complaints.append(f"asked {url}")
        if "drg_" in url:
            self.complaints.append("a key stands in an address")

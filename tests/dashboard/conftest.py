"""A browser before the dashboard, on books that a platform of some size would have."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import Database
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.usage_sink.prices import EXAMPLE_PRICES, EXAMPLE_WORD_PRICES
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import QueryLimits
from tests.dashboard.books import fill
from tests.page.conftest import browser as browser  # noqa: PLC0414  # the fixture
from tests.page.conftest import watched
from tests.ports import free_port

TOKEN = "a token of this test"
SHOTS = Path(".dragoman/dashboard")


class Site:
    """The analytics process's server, which can be stopped and started."""

    def __init__(self, books: Database, readers: list[Database]) -> None:
        self.books = books
        self._readers = readers
        self._port = free_port()
        self._server: QueryServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        limits, access = QueryLimits(30, 100_000), Access("127.0.0.1", self._port, TOKEN)
        self._server = QueryServer(self._readers, access, limits, DashboardSection(refresh_seconds=2))

    def stop(self) -> None:
        if self._server:
            self._server.close()
        self._server = None

    def link(self) -> str:
        return AnalyticsClient(self.url, TOKEN).dashboard_link()


@pytest.fixture(scope="session")
def databases(tmp_path_factory) -> Iterator[list[Database]]:
    path = tmp_path_factory.mktemp("clickhouse")
    with ExitStack() as opened:
        made = [opened.enter_context(closing(Database(f"chdb://{path}"))) for _ in range(3)]
        made[0].create(EXAMPLE_PRICES, EXAMPLE_WORD_PRICES)
        # A little of it lies in the future, so that the present has something too.
        fill(made[0], answers=60_000, days=15, end=datetime.now(UTC) + timedelta(hours=1))
        yield made


@pytest.fixture
def site(databases) -> Iterator[Site]:
    made = Site(databases[0], databases[1:])
    made.start()
    yield made
    made.stop()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    with watched(browser.new_context(base_url=site.url, accept_downloads=True), site.url) as made:
        yield made


@pytest.fixture
def opens(page: Page, site: Site) -> Callable[[str], Page]:
    """`opens("cost?from=now-7d")` shows that page, signed in, with all its panels."""

    def opens(path: str) -> Page:
        page.goto(site.link())
        page.goto(f"/dashboard/{path}")
        shown(page)
        return page

    return opens


def shown(page: Page) -> None:
    """Wait until all panels have their figures."""
    page.locator("#fresh:not(:empty)").wait_for()
    page.locator("#panels > section").first.wait_for()
    page.locator(".waiting").first.wait_for(state="detached")

"""The command that opens the dashboard."""

import webbrowser

import pytest
from typer.testing import CliRunner

from producers.cli import dashboard
from producers.cli.main import app

LINK = "http://127.0.0.1:1/dashboard/in?ticket=t"


class Analytics:
    """Knows one link."""

    def dashboard_link(self) -> str:
        return LINK


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    links: list[str] = []

    def note(link: str) -> bool:
        links.append(link)
        return True

    monkeypatch.setattr(dashboard, "analytics_client", lambda url: Analytics())
    monkeypatch.setattr(webbrowser, "open", note)
    return links


def test_the_browser_opens_the_link_and_nothing_prints_it(opened):
    ran = CliRunner().invoke(app, ["dashboard"])
    assert (ran.exit_code, opened) == (0, [LINK])
    assert LINK not in ran.output


def test_the_link_is_printed_where_it_is_asked_for(opened):
    ran = CliRunner().invoke(app, ["dashboard", "--no-open"])
    assert (ran.exit_code, ran.stdout, opened) == (0, f"{LINK}\n", [])


def test_the_link_is_printed_where_there_is_no_browser(opened, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda link: False)
    assert CliRunner().invoke(app, ["dashboard"]).stdout == f"{LINK}\n"

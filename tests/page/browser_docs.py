"""The page of the interfaces in a real browser: it shows every operation, asks one, and needs no other host."""

import pytest
from playwright.sync_api import Page, expect

from producers.http.app import bare_app
from producers.http.description.openapi import operations_of
from tests.page.conftest import SHOTS, watched

OPERATIONS = list(operations_of(bare_app().openapi()))


@pytest.fixture
def page(browser, site):
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 1600})
    with watched(context, site.url) as page:
        yield page


def test_the_page_shows_every_operation_and_the_topics(page: Page):
    page.goto("/docs")
    expect(page.get_by_role("heading", name="translations", exact=False).first).to_be_visible()
    expect(page.locator(".opblock-summary")).to_have_count(len(OPERATIONS))
    expect(page.get_by_role("link", name="AsyncAPI of the topics")).to_have_attribute("href", "/asyncapi.json")
    page.locator("#operations-translations-submit_translation").get_by_role("button").first.click()
    expect(page.get_by_text("several texts and languages").first).to_be_attached()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "docs.png")


def test_an_operation_can_be_tried_with_a_key(page: Page, site):
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".auth-container", has_text="X-API-Key")
    dialog.get_by_role("textbox").fill(site.key())
    dialog.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    block = page.locator("#operations-accounts-read_account")
    block.get_by_role("button").first.click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")
    page.screenshot(path=SHOTS / "docs_tried.png")

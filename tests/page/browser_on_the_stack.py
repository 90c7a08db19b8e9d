"""The page before the whole platform: real Kafka, real Valkey, a real model."""

import pytest
from playwright.sync_api import expect

from deploy.local.first_key import read_key
from tests.page.conftest import watched
from tests.page.person import Person

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


def test_a_chapter_is_read_while_it_is_translated(browser, stack):
    paragraphs = [
        f"House {n} stands in the street of the old harbour. Its door is red, and {n} ships pass by every day."
        for n in range(400)
    ]
    with watched(browser.new_context(base_url=stack.http_url), stack.http_url) as page:
        person = Person(page).signs_in_with_key(read_key(stack.root)).is_in()
        person.asks_for("\n\n".join(paragraphs), source="en", priority="high")
        expect(page.locator(".awaited").first).to_be_visible()
        expect(page.locator(".target").first).to_be_visible(timeout=60_000)
        assert page.locator(".awaited").count() > 0
        expect(person.status).to_have_text("Done", timeout=120_000)
        expect(page.locator(".target")).to_have_count(len(paragraphs))
        numbers = page.locator(".target").evaluate_all(
            "(all) => all.map((one) => one.textContent.match(/\\d+/)[0])"
        )
        assert numbers == [str(n) for n in range(400)]

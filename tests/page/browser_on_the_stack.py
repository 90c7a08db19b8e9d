"""The page before the whole platform: real Kafka, real Valkey, a real model."""

import io

import pytest
from docx import Document
from playwright.sync_api import expect

from deploy.local.first_key import read_key
from tests.page.conftest import watched
from tests.page.person import Person
from tests.page.samples import file

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


def a_report() -> bytes:
    made, content = Document(), io.BytesIO()
    for n in range(60):
        made.add_paragraph(f"The report of house {n} is ready. Its garden has {n} trees.")
    made.save(content)
    return content.getvalue()


def test_a_word_document_comes_back_translated_and_is_on_the_books(browser, stack):
    with watched(browser.new_context(base_url=stack.http_url), stack.http_url) as page:
        person = Person(page).signs_in_with_key(read_key(stack.root)).is_in()
        page.get_by_label("To", exact=True).select_option("pt")
        person.adds(file("report.docx", a_report())).sends()
        expect(page.get_by_role("heading", name="report.docx")).to_be_visible()
        expect(person.status).to_have_text("Done", timeout=150_000)
        expect(page.locator("#job-facts")).to_contain_text("words")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        assert download.value.suggested_filename == "report.pt.docx"
        texts = [one.text for one in Document(str(download.value.path())).paragraphs]
        assert len(texts) == 60
        assert all(f" {n} " in text and "report" not in text for n, text in enumerate(texts))
        page.get_by_role("button", name="New translation").click()
        page.get_by_role("link", name="Usage").click()
        expect(page.get_by_text("Words", exact=True).first).to_be_visible(timeout=60_000)

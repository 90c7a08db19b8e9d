"""A document goes in, is followed row by row, and comes back as a file."""

import pytest
from playwright.sync_api import Route, expect

from schemas.message_parts import Warning
from schemas.states import ResultStatus
from tests.page.samples import file, fill_the_shelf, hole, suspect


@pytest.fixture
def inside(person, site):
    return person.signs_in_with_key(site.key()).is_in()


def test_a_document_shows_how_far_it_is_and_is_downloaded_with_its_own_name(inside, site):
    inside.adds(file("report.docx", b"PK and more")).sends()
    request = site.platform.asked()
    assert (request.file_name, request.source_language, request.target_language) == ("report.docx", "auto", "en")
    assert site.platform.documents.files[request.content_ref] == b"PK and more"
    expect(inside.page.get_by_role("heading", name="report.docx")).to_be_focused()
    expect(inside.status).to_have_text("Waiting")
    site.platform.extract(request, words=15_016, pages=42)
    site.platform.advance(request, 3)
    expect(inside.status).to_have_text("Translating")
    expect(inside.page.locator("#job-facts")).to_contain_text("15,016 words")
    expect(inside.page.locator("#job-facts")).to_contain_text("42 pages")
    expect(inside.page.locator("#job-wait")).to_contain_text("75 %")
    site.platform.finish_document(request, "report.en.docx", b"translated")
    expect(inside.status).to_have_text("Done")
    with inside.page.expect_download() as download:
        inside.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "report.en.docx"
    assert download.value.path().read_bytes() == b"translated"


def test_several_documents_have_a_row_each_that_survives_a_reload(inside, site):
    inside.adds(file("one.docx", b"PK1"), file("two.html", b"<p>two")).sends()
    expect(inside.files).to_have_count(2)
    one, two = (request for request, *_ in site.platform.appended)
    site.platform.extract(one, words=500)
    site.platform.advance(one, 1)
    site.platform.extract(two, words=7, pages=None)
    marked = suspect("", "", place="line 3") | {
        "warnings": (Warning(cause="figures_differ"), Warning(cause="named_text_kept", count=2, place="Sheet1!B7"))
    }
    site.platform.finish_document(two, "two.en.html", b"<p>TWO", holes=(hole("", "", place="line 9"),), **marked)
    row = inside.files.filter(has_text="two.html")
    for words in (
        "Done, with gaps", "7 words", "1 sentence could not be translated", "1 sentence should be looked at",
        "kept as they are. (2.) First: Sheet1!B7",
    ):  # fmt: skip
        expect(row).to_contain_text(words)
    expect(inside.files.filter(has_text="one.docx")).to_contain_text("25 %")
    inside.page.reload()
    expect(row).to_contain_text("1 sentence should be looked at")
    with inside.page.expect_download() as download:
        row.get_by_role("button", name="Download two.html").click()
    assert download.value.suggested_filename == "two.en.html"
    row.get_by_role("link", name="two.html").click()
    for name, place in (("holes", "line 9"), ("suspects", "line 3")):
        inside.page.locator(f"#job-{name} summary").click()
        expect(inside.page.locator(f"#job-{name}-list")).to_contain_text(place)


def test_a_row_is_cancelled(inside, site):
    inside.adds(file("one.docx", b"PK1"), file("two.docx", b"PK2")).sends()
    inside.files.first.get_by_role("button", name="Cancel two.docx").click()
    while not site.platform.ordered:
        inside.page.wait_for_timeout(20)
    request = site.platform.appended[-1][0]
    site.platform.finish(request, None, status=ResultStatus.CANCELLED, error_cause="cancelled")
    expect(inside.files.first).to_contain_text("Cancelled")
    inside.files.first.get_by_role("button", name="Remove two.docx").click()
    expect(inside.files).to_have_count(1)


def test_a_document_that_failed_says_why_in_its_row(inside, site):
    inside.adds(file("one.pdf", b"%PDF"), file("two.pdf", b"%PDF")).sends()
    request = site.platform.asked()
    message = "the file has no text layer: run text recognition (OCR) first"
    site.platform.finish(
        request, None, status=ResultStatus.FAILED, error_cause="no_text_layer", error_message=message
    )
    expect(inside.files.filter(has_text=request.file_name)).to_contain_text("The file has no text layer")


def test_a_file_that_is_refused_is_named_and_keeps_the_others_from_nothing(inside, site):
    site.platform.refused_names.add("old.docx")
    inside.adds(
        file("film.mp4", b"film"), file("empty.docx", b""), file("old.docx", b"PK"), file("new.docx", b"PK")
    )
    for words in ("film.mp4 is of no format", "empty.docx is empty"):
        expect(inside.problem.filter(has_text=words)).to_be_visible()
    expect(inside.pending).to_have_count(2)
    inside.sends()
    expect(inside.problem).to_contain_text("old.docx: ")
    expect(inside.problem).to_contain_text("Allowed: ")
    expect(inside.pending).to_have_count(1)
    expect(inside.files).to_have_count(1)
    assert [request.file_name for request, *_ in site.platform.appended] == ["new.docx"]


def test_a_file_over_the_limit_is_refused_before_it_is_sent(person, site):
    site.max_document_bytes = 1_000_000
    site.restart()
    person.signs_in_with_key(site.key()).is_in()
    person.adds(file("big.docx", b"P" * 1_500_000))
    expect(person.problem).to_contain_text("big.docx has 1.5 MB. Allowed: 1 MB. Split it")
    expect(person.pending).to_have_count(0)


def test_a_text_in_another_encoding_goes_as_a_document(inside, site):
    inside.adds(file("old.txt", b"caf\xe9")).sends()
    assert site.platform.asked().file_name == "old.txt"


def test_a_glossary_for_the_pair_is_sent_with_texts_and_documents(person, site):
    fill_the_shelf(site.glossaries)
    inside = person.signs_in_with_key(site.key()).is_in()
    inside.page.get_by_label("To", exact=True).select_option("de")
    choice = inside.page.get_by_label("Glossary", exact=True)
    expect(choice.get_by_role("option")).to_have_text(["None", "legal"])
    inside.page.get_by_label("To", exact=True).select_option("pt")
    choice.select_option("product-terms")
    inside.adds(file("one.docx", b"PK")).asks_for("The release.")
    expect(inside.files).to_have_count(1)
    assert [list(request.glossaries) for request, *_ in site.platform.appended] == [["product-terms"]] * 2


def test_a_job_of_a_colleague_is_opened_by_its_id(person, site):
    inside = person.signs_in_with_key(site.key()).is_in()
    inside.asks_for("Good morning.", target="pt")
    request = site.platform.asked()
    site.platform.finish(request, "Bom dia.")
    inside.page.evaluate("localStorage.clear()")
    inside.page.get_by_role("button", name="Sign out").click()
    viewer = person.signs_in_with_key(site.key(role="viewer"))
    viewer.page.get_by_label("Job id").fill("nothing-like-it")
    viewer.page.get_by_role("button", name="Open").click()
    expect(viewer.problem).to_contain_text("nothing-like-it")
    viewer.page.get_by_label("Job id").fill(request.request_id)
    viewer.page.get_by_role("button", name="Open").click()
    expect(viewer.page.locator(".target")).to_have_text("Bom dia.")
    expect(viewer.status).to_have_text("Done")


def test_a_job_of_several_texts_is_copied_and_downloaded_as_it_is_shown(person, site):
    inside = person.signs_in_with_key(site.key()).is_in()
    inside.asks_for("Good morning.")
    request = site.platform.asked()
    site.platform.finish(request, None, texts=("Bom dia.", "Boa noite."))
    inside.page.evaluate("localStorage.clear()")
    inside.page.reload()
    expect(inside.status).to_have_text("Done")
    inside.page.evaluate("navigator.clipboard.writeText = async (text) => (window.copied = text)")
    inside.page.get_by_role("button", name="Copy").click()
    inside.page.wait_for_function("window.copied === 'Bom dia.\\n\\nBoa noite.'")
    with inside.page.expect_download() as download:
        inside.page.get_by_role("button", name="Download").click()
    assert download.value.path().read_text("utf-8") == "Bom dia.\n\nBoa noite."


def test_a_job_that_is_not_found_takes_nobody_away_from_where_they_went_meanwhile(person, site):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = person.signs_in_with_key(site.key()).is_in().page
    page.route("**/api/v1/translations/nothing-like-it", hold)
    page.evaluate("location.hash = 'nothing-like-it'")
    while not held:
        page.wait_for_timeout(20)
    person.goes_to("Glossaries")
    with page.expect_response("**/api/v1/translations/nothing-like-it"):
        held.pop().continue_()
    page.wait_for_timeout(200)
    expect(page.get_by_role("heading", name="Glossaries", level=1)).to_be_visible()

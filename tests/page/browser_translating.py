"""A text goes in, its translation is read while it is made, and stays."""

import pytest
from playwright.sync_api import expect

from schemas.message_parts import Hole
from schemas.states import ResultStatus
from tests.page.samples import suspect

TEXT = "The first.\n\nThe second.\n\nThe third 🌍.\n\nThe fourth."
PARTS = ("O primeiro.", "O segundo.", "O terceiro 🌍.", "O quarto.")


@pytest.fixture
def inside(person, site):
    return person.signs_in_with_key(site.key()).is_in()


def test_parts_appear_as_they_come_and_then_the_whole(inside, site):
    inside.asks_for(TEXT, priority="high")
    expect(inside.status).to_have_text("Waiting")
    request = site.platform.asked()
    assert (request.source_language, request.target_language, request.priority) == ("auto", "pt", "high")
    assert request.text == TEXT
    target = inside.page.locator(".target")
    for done in (1, 2):
        site.platform.translate(request, PARTS[done - 1])
        expect(target).to_have_count(done)
        expect(target.last).to_have_text(PARTS[done - 1])
        assert [row[0] for row in inside.reads()] == TEXT.split("\n\n")
        expect(inside.status).to_have_text("Translating")
    expect(inside.page.get_by_role("progressbar")).to_have_attribute("value", "50")
    expect(inside.page.locator(".awaited")).to_have_count(2)

    site.platform.finish(request, "\n\n".join(PARTS))
    expect(inside.status).to_have_text("Done")
    sources = TEXT.split("\n\n")
    assert inside.reads() == [list(pair) for pair in zip(sources, PARTS, strict=True)]
    expect(inside.page.locator("#job-facts")).to_contain_text("English (detected)")
    expect(inside.page.get_by_role("progressbar")).to_be_hidden()


def test_a_reload_keeps_job_and_source_and_asks_the_platform_again(inside, site):
    inside.asks_for(TEXT)
    request = site.platform.asked()
    site.platform.translate(request, PARTS[0])
    expect(inside.page.locator(".target")).to_have_text(PARTS[0])
    inside.page.reload()
    expect(inside.page.locator(".target")).to_have_text(PARTS[0])
    site.platform.finish(request, "\n\n".join(PARTS))
    expect(inside.status).to_have_text("Done")
    inside.page.reload()
    expect(inside.page.locator(".target")).to_have_count(4)
    assert inside.reads()[3] == ["The fourth.", PARTS[3]]
    assert len(site.platform.appended) == 1


def test_a_new_tab_knows_the_job_without_its_source(inside, site):
    inside.asks_for(TEXT)
    site.platform.finish(site.platform.asked(), "\n\n".join(PARTS))
    expect(inside.status).to_have_text("Done")
    inside.page.evaluate("sessionStorage.removeItem('dragoman.text:' + location.hash.slice(1))")
    inside.page.reload()
    expect(inside.page.locator(".target")).to_contain_text("O segundo.")
    expect(inside.page.locator(".source")).to_have_count(0)
    account = inside.page.evaluate("Object.keys(localStorage).find((key) => key.startsWith('dragoman.jobs:'))")
    assert "The second" not in inside.page.evaluate(f"localStorage[{account!r}]")


def test_a_hole_is_marked_on_both_sides_with_its_cause(inside, site):
    inside.asks_for("🌍 One. Two zwei. Three.\n\nFour.")
    text = "🌍 Um. Two zwei. Três.\n\nQuatro."
    hole = Hole(segment=1, cause="repetition_loop", start=6, length=9)
    site.platform.finish(site.platform.asked(), text, holes=(hole,))
    expect(inside.status).to_have_text("Done, with gaps")
    marks = inside.page.locator("mark")
    expect(marks).to_have_count(2)
    for mark in marks.all():
        assert mark.evaluate("(mark) => mark.firstChild.data") == "Two zwei."
        assert "the engine repeated itself" in (mark.get_attribute("title") or "")
    inside.page.get_by_text("1 sentence could not be translated").click()
    inside.page.get_by_role("button", name="Two zwei.").click()
    expect(marks.last).to_be_focused()
    expect(inside.page.locator("#job-holes")).to_contain_text("repetition_loop")
    assert marks.first.get_attribute("tabindex") is None


def test_a_suspect_is_marked_in_the_translation_with_its_cause_and_survives_a_reload(inside, site):
    inside.asks_for("It costs 142 dollars. Thank you.")
    text = "Custa 124 dólares. Obrigado."
    site.platform.finish(site.platform.asked(), text, **suspect(text, "Custa 124 dólares."))
    expect(inside.status).to_have_text("Done")
    inside.page.reload()
    mark = inside.page.locator("mark")
    expect(mark).to_have_count(1)
    assert mark.evaluate("(mark) => mark.firstChild.data") == "Custa 124 dólares."
    inside.page.get_by_text("1 sentence should be looked at.").click()
    expect(inside.page.locator("#job-suspects-list")).to_contain_text("a number is missing")
    inside.page.get_by_role("button", name="Custa 124 dólares.").click()
    expect(mark).to_be_focused()


def test_a_job_that_failed_says_why(inside, site):
    inside.asks_for("Good morning.")
    site.platform.finish(
        site.platform.asked(),
        None,
        status=ResultStatus.FAILED,
        error_cause="engine_error",
        error_message="none of the 1 segments could be translated",
    )
    expect(inside.status).to_have_text("Failed")
    expect(inside.page.locator("#job-problem")).to_contain_text("None of the 1 segments could be translated")


def test_arabic_runs_from_the_right_even_where_a_line_begins_with_a_latin_name(inside, site):
    inside.asks_for("Kafka is fast.", target="ar")
    site.platform.finish(site.platform.asked(), "Kafka سريع.")
    target = inside.page.locator(".target")
    expect(target).to_have_attribute("dir", "rtl")
    expect(target).to_have_attribute("lang", "ar")
    expect(inside.page.locator(".source")).to_have_attribute("dir", "ltr")


def test_several_texts_become_jobs_and_each_has_its_row(inside, site, tmp_path):
    (tmp_path / "one.txt").write_text("The one.", "utf-8")
    (tmp_path / "two.txt").write_bytes("\ufeffThe two.\r\nAnd more.".encode("utf-16-le"))
    inside.adds(tmp_path / "one.txt", tmp_path / "two.txt")
    expect(inside.pending).to_have_count(2)
    inside.page.get_by_label("To", exact=True).select_option("pt")
    inside.sends()
    expect(inside.recent).to_have_count(2)
    assert [request.text for request, *_ in site.platform.appended] == ["The one.", "The two.\nAnd more."]
    assert inside.recent.all_inner_texts()[0].startswith("two.txt")
    expect(inside.files).to_have_count(2)
    inside.files.first.get_by_role("link", name="two.txt").click()
    expect(inside.page.locator(".source")).to_have_text(["The two.", "And more."])


def test_a_file_may_be_dropped(inside):
    inside.page.evaluate(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File(["Dropped."], "dropped.txt", { type: "text/plain" }));
            document.getElementById("text").dispatchEvent(
                new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
        }"""
    )
    expect(inside.pending).to_contain_text(["dropped.txt"])
    inside.page.get_by_role("button", name="Remove dropped.txt").click()
    expect(inside.pending).to_have_count(0)


def test_the_translation_is_downloaded_as_text(inside, site):
    inside.asks_for("Good morning.\n\nAnd good night.")
    site.platform.finish(site.platform.asked(), "Bom dia.\n\nE boa noite.")
    expect(inside.status).to_have_text("Done")
    with inside.page.expect_download() as download:
        inside.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "Good morning.pt.txt"
    assert download.value.path().read_text("utf-8") == "Bom dia.\n\nE boa noite."


def test_a_job_is_cancelled(inside, site):
    inside.asks_for("Good morning.")
    expect(inside.status).to_have_text("Waiting")
    inside.page.get_by_role("button", name="Cancel").click()
    expect(inside.page.get_by_role("button", name="Cancel")).to_be_visible()
    request = site.platform.asked()
    while not site.platform.ordered:
        inside.page.wait_for_timeout(20)
    site.platform.finish(request, None, status=ResultStatus.CANCELLED, error_cause="cancelled")
    expect(inside.status).to_have_text("Cancelled")


def test_languages_are_those_that_are_served(inside):
    inside.page.get_by_label("From").select_option("de")
    options = inside.page.get_by_label("To", exact=True).get_by_role("option")
    # Through English, too.
    expect(options).to_have_text(["Arabic", "English", "Portuguese"])
    inside.page.get_by_label("To", exact=True).select_option("en")
    inside.page.get_by_role("button", name="Swap the languages").click()
    expect(inside.page.get_by_label("From")).to_have_value("en")
    expect(inside.page.get_by_label("To", exact=True)).to_have_value("de")


def test_the_list_leads_from_job_to_job_and_can_be_cleared(inside, site):
    for text in ("The one.", "The two."):
        inside.asks_for(text)
        expect(inside.page.get_by_role("heading", name=text)).to_be_visible()
        site.platform.finish(site.platform.asked(), f"{text} (pt)")
        expect(inside.status).to_have_text("Done")
        inside.page.get_by_role("button", name="New translation").click()
    inside.recent.last.click()
    expect(inside.page.locator(".target")).to_have_text("The one. (pt)")
    inside.page.go_back()
    expect(inside.page.get_by_label("Text to translate")).to_be_visible()
    inside.page.get_by_role("button", name="Clear the list").click()
    expect(inside.recent).to_have_count(0)

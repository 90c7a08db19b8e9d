"""How the page looks, and to whom: axe finds nothing, nothing sticks out, and each state has its screenshot."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.page.conftest import SHOTS, watched
from tests.page.person import Person
from tests.page.samples import ARABIC, BOOKS, FILES, PARTS, TERMS, TEXT, fill_the_shelf, hole, suspect

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
DESKTOP, PHONE, NARROWEST = (1280, 860), (360, 740), (320, 640)
HOLE = "Ships passed far away, and they trusted the light."
SUSPECT = "Todas as noites eu subia os 124 degraus."


@pytest.fixture(params=["light", "dark"])
def scheme(request) -> str:
    return request.param


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def looker(request, browser, site, scheme):
    width, height = request.param
    name = f"{scheme}-{'desktop' if request.param is DESKTOP else 'phone'}"
    context = browser.new_context(
        base_url=site.url,
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    with watched(context, site.url) as page:
        yield Looker(Person(page), name)


class Looker:
    """Takes a screenshot of each state, and has axe and a ruler look at it."""

    def __init__(self, person: Person, name: str) -> None:
        self.person = person
        self._name = name
        SHOTS.mkdir(parents=True, exist_ok=True)

    def looks(self, state: str) -> None:
        page = self.person.page
        page.screenshot(path=SHOTS / f"{self._name}-{state}.png", full_page=True)
        found = page.evaluate(f"{AXE}; axe.run(document, {{ resultTypes: ['violations'] }})")["violations"]
        assert not [(one["id"], [node["html"] for node in one["nodes"]]) for one in found], state
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{state} is too wide"
        cards = "[...document.querySelectorAll('.card')].filter((card) => card.scrollWidth > card.clientWidth)"
        assert not page.evaluate(f"{cards}.map((card) => card.id)"), f"something sticks out in {state}"


def test_every_state_of_a_text_looks_right_and_axe_finds_nothing(looker, site):
    person, page = looker.person, looker.person.page
    person.opens()
    looker.looks("01-sign-in")
    page.get_by_text("API key", exact=True).first.click()
    person.sends_key("drg_wrong")
    expect(person.problem).to_be_visible()
    looker.looks("02-wrong-key")
    person.signs_in_with_key(site.key()).is_in()
    looker.looks("03-empty")

    person.asks_for(TEXT, priority="high")
    request = site.platform.asked()
    site.platform.translate(request, *PARTS[:2])
    expect(page.locator(".target")).to_have_count(2)
    looker.looks("04-translating")
    whole = "\n\n".join(PARTS)
    site.platform.finish(request, whole, holes=(hole(whole, HOLE),), **suspect(whole, SUSPECT))
    expect(person.status).to_have_text("Done, with gaps")
    page.locator("#job-holes summary").click()
    page.locator("#job-suspects summary").click()
    looker.looks("05-gaps")

    page.get_by_role("button", name="New translation").click()
    person.asks_for(TEXT, target="ar", source="en")
    expect(person.recent).to_have_count(2)
    site.platform.finish(site.platform.asked(), "\n\n".join(ARABIC))
    expect(person.status).to_have_text("Done")
    looker.looks("06-right-to-left")
    page.get_by_role("button", name="key").click()
    looker.looks("07-account")
    page.set_viewport_size({"width": NARROWEST[0], "height": NARROWEST[1]})
    looker.looks("08-narrowest")


def test_every_state_of_documents_looks_right_and_axe_finds_nothing(looker, site):
    person, page, platform = looker.person, looker.person.page, site.platform
    fill_the_shelf(site.glossaries)
    person.signs_in_with_key(site.key()).is_in()
    person.adds(*FILES)
    expect(person.problem).to_be_visible()
    page.get_by_label("To", exact=True).select_option("pt")
    page.get_by_label("Glossary", exact=True).select_option("product-terms")
    looker.looks("11-files")
    person.sends()
    expect(person.files).to_have_count(3)
    report, slides, manual = (request for request, *_ in platform.appended)
    platform.extract(report, words=15_016, pages=42)
    platform.advance(report, 3)
    platform.extract(slides, words=912, pages=14)
    platform.finish_document(slides, "slides.pt.pptx", b"PK", **suspect("", "", place="slide 3"))
    expect(person.files.filter(has_text="slides")).to_contain_text("Done")
    expect(person.files.filter(has_text="report")).to_contain_text("75 %")
    looker.looks("12-rows")
    platform.finish_document(manual, "manual.pt.html", b"<p>", holes=(hole("", "", place="line 12"),))
    person.files.filter(has_text="manual").get_by_role("link").click()
    expect(person.status).to_have_text("Done, with gaps")
    page.locator("#job-holes summary").click()
    looker.looks("13-document")


def test_the_other_views_look_right_and_axe_finds_nothing(looker, site):
    person, page = looker.person, looker.person.page
    fill_the_shelf(site.glossaries)
    BOOKS.fill(site)
    person.signs_in_with_key(site.key(role="admin", name="Web shop")).is_in()
    person.goes_to("Glossaries")
    page.get_by_role("button", name="Open product-terms").click()
    expect(page.get_by_role("cell", name="liberação")).to_be_visible()
    page.get_by_label("Terms, one a line").fill(TERMS)
    looker.looks("21-glossaries")
    page.get_by_role("button", name="Delete product-terms").click()
    looker.looks("22-confirm")
    page.keyboard.press("Escape")
    person.goes_to("Usage")
    expect(page.get_by_role("meter")).to_have_count(2)
    looker.looks("23-usage")
    person.goes_to("API keys")
    page.locator("#key-name").fill("Build server")
    looker.looks("24-keys")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_label("The new key")).to_be_visible()
    looker.looks("25-new-key")


def test_a_viewer_is_offered_nothing_that_a_viewer_may_not_do(looker, site):
    person, page = looker.person, looker.person.page
    person.signs_in_with_key(site.key(role="viewer"))
    expect(page.get_by_role("heading", name="Read a translation")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Translate", "Glossaries", "Usage"])
    looker.looks("31-viewer")


def test_on_paper_only_the_translation_remains(looker, site):
    person, page = looker.person, looker.person.page
    person.signs_in_with_key(site.key()).is_in().asks_for(TEXT)
    site.platform.finish(site.platform.asked(), "\n\n".join(PARTS))
    expect(person.status).to_have_text("Done")
    page.emulate_media(media="print")
    for unwanted in ("navigation", "button"):
        expect(page.get_by_role(unwanted)).to_have_count(0)
    expect(page.locator(".target")).to_have_count(4)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(34, 32, 28)"
    looker.looks("41-paper")


def test_states_are_told_to_those_who_do_not_see_them(person, site):
    person.signs_in_with_key(site.key()).is_in().asks_for("Good morning.")
    expect(person.page.get_by_role("heading", name="Good morning.")).to_be_focused()
    site.platform.finish(site.platform.asked(), "Bom dia.")
    expect(person.page.get_by_role("status").filter(has_text="Good morning.: Done")).to_be_attached()
    rows = person.page.get_by_role("table", name="Source and translation side by side").get_by_role("row")
    expect(rows.last.get_by_role("cell")).to_have_text(["Good morning.", "Bom dia."])

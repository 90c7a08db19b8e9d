"""How the page looks, and to whom: axe finds nothing, nothing sticks out, and each state has its screenshot."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from schemas.message_parts import Hole
from tests.page.conftest import SHOTS, watched
from tests.page.person import Person

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
DESKTOP, PHONE, NARROWEST = (1280, 860), (390, 844), (320, 640)
TEXT = """The lighthouse keeper's diary

I came to the island in the autumn of 1931, when the storms had already begun. The boat left me on the stones.

Every evening I climbed the 142 steps and lit the lamp. Ships passed far away, and they trusted the light.

In January the sea froze along the coast. I wrote three letters and kept them in a tin box."""
PARTS = (
    "O diário do faroleiro",
    "Cheguei à ilha no outono de 1931, quando as tempestades já haviam começado. O barco me deixou nas pedras.",
    "Todas as noites eu subia os 142 degraus. Ships passed far away, and they trusted the light.",
    "Em janeiro o mar congelou ao longo da costa. Escrevi três cartas e as guardei em uma caixa de lata.",
)
ARABIC = (
    "مذكرات حارس المنارة",
    "جئت إلى الجزيرة في خريف 1931، عندما كانت العواصف قد بدأت بالفعل. تركني القارب على الحجارة.",
    "كل مساء كنت أصعد 142 درجة وأضيء المصباح. مرت السفن بعيدًا، ووثقت بالضوء.",
    "في يناير تجمد البحر على طول الساحل. كتبت ثلاث رسائل واحتفظت بها في علبة من الصفيح.",
)


def hole(text: str, words: str) -> Hole:
    return Hole(segment=4, cause="repetition_loop", start=text.index(words), length=len(words))


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
        assert not [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{state} is too wide"


def test_every_state_looks_right_and_axe_finds_nothing(looker, site):
    person, page = looker.person, looker.person.page
    person.opens()
    looker.looks("1-sign-in")
    page.get_by_text("API key", exact=True).first.click()
    person.sends_key("drg_wrong")
    expect(person.problem).to_be_visible()
    looker.looks("2-wrong-key")
    person.signs_in_with_key(site.key()).is_in()
    page.get_by_label("Plain-text files").set_input_files(
        [
            {"name": "chapter one.txt", "mimeType": "text/plain", "buffer": b"The first chapter."},
            {"name": "report.docx", "mimeType": "", "buffer": b"PK"},
        ]
    )
    expect(person.problem).to_be_visible()
    looker.looks("3-composer")
    page.get_by_role("button", name="Remove").click()

    person.asks_for(TEXT, priority="high")
    request = site.platform.asked()
    site.platform.translate(request, *PARTS[:2])
    expect(page.locator(".target")).to_have_count(2)
    looker.looks("4-translating")
    whole = "\n\n".join(PARTS)
    site.platform.finish(
        request, whole, holes=(hole(whole, "Ships passed far away, and they trusted the light."),)
    )
    expect(person.status).to_have_text("Done, with gaps")
    page.locator("#job-holes summary").click()
    looker.looks("5-gaps")

    page.get_by_role("button", name="New translation").click()
    person.asks_for(TEXT, target="ar", source="en")
    expect(person.recent).to_have_count(2)
    site.platform.finish(site.platform.asked(), "\n\n".join(ARABIC))
    expect(person.status).to_have_text("Done")
    looker.looks("6-right-to-left")
    page.get_by_role("button", name="key").click()
    looker.looks("7-account")
    page.set_viewport_size({"width": NARROWEST[0], "height": NARROWEST[1]})
    looker.looks("8-narrowest")


def test_states_are_told_to_those_who_do_not_see_them(person, site):
    person.signs_in_with_key(site.key()).is_in().asks_for("Good morning.")
    expect(person.page.get_by_role("heading", name="Good morning.")).to_be_focused()
    site.platform.finish(site.platform.asked(), "Bom dia.")
    expect(person.page.get_by_role("status").filter(has_text="Good morning.: Done")).to_be_attached()
    rows = person.page.get_by_role("table", name="Source and translation side by side").get_by_role("row")
    expect(rows.last.get_by_role("cell")).to_have_text(["Good morning.", "Bom dia."])

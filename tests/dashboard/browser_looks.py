"""How the dashboard looks, and to whom: axe finds nothing, nothing sticks out, each page has its screenshots."""

from pathlib import Path

import pytest

from stream_apps.dashboard.panels import PAGES
from tests.dashboard.conftest import SHOTS, shown
from tests.page.conftest import watched

AXE = (Path(__file__).parents[1] / "page" / "axe" / "axe.min.js").read_text("utf-8")
SIZES = {"desktop": (1400, 900), "phone": (390, 844), "narrow": (320, 640)}


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture(params=SIZES)
def size(request):
    return request.param


@pytest.fixture
def look(browser, site, scheme, size):
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=site.url,
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    with watched(context, site.url) as page:

        def look(name: str) -> None:
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / f"{size}-{scheme}-{name}.png", full_page=True)
            # The policy of the page lets no text be run; what comes from here is no text of the page.
            found = page.evaluate(f"{AXE}; axe.run(document, {{ resultTypes: ['violations'] }})")["violations"]
            assert not [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

        page.goto("/dashboard/overview")
        page.get_by_role("heading", name="Sign in").wait_for()
        look("sign-in")
        page.goto(site.link())
        yield page, look


def test_every_page_looks_right_and_axe_finds_nothing(look):
    page, looks = look
    for one in PAGES:
        page.goto(f"/dashboard/{one.id}?from=now-7d&compare=previous&live=off")
        shown(page)
        looks(one.id)
    page.goto("/dashboard/overview?from=now-7d&live=off&tenant=nobody")
    shown(page)
    looks("empty")
    page.goto("/dashboard/overview?from=now-7d&live=off")
    shown(page)
    page.get_by_role("button", name="Answer time: as a table").click()
    page.get_by_role("slider", name="Words by priority").focus()
    page.keyboard.press("End")
    page.keyboard.press("PageUp")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("table").wait_for()
    looks("jobs")


def test_on_paper_there_are_figures_and_nothing_to_press(opens, site):
    page = opens("cost?from=now-7d&live=off")
    page.emulate_media(media="print")
    assert page.get_by_role("link", name="Workers").is_hidden()
    assert page.get_by_role("button", name="Sign out").is_hidden()
    assert page.locator("#panels canvas").first.is_visible()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.pdf(path=SHOTS / "cost.pdf", format="A4", landscape=True, print_background=True)
    assert (SHOTS / "cost.pdf").stat().st_size > 20_000

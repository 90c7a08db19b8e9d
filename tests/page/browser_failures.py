"""What goes wrong is said, with its cure, and nothing is lost."""

import pytest
from playwright.sync_api import Route, expect

from tests.page.platform import MOST_CHARACTERS
from tests.page.samples import file

TEXT = "The first.\n\nThe second.\n\nThe third.\n\nThe fourth."
PARTS = ("O primeiro.", "O segundo.", "O terceiro.", "O quarto.")


@pytest.fixture
def inside(person, site):
    return person.signs_in_with_key(site.key()).is_in()


def flood(page, key):
    """Send requests until the tenant has sent too many."""
    headers, body = {"Authorization": f"Bearer {key}"}, {"text": "A flood.", "target_language": "pt"}
    statuses = []
    while 429 not in statuses:
        statuses.append(page.request.post("/api/v1/translations", headers=headers, data=body).status)
    assert set(statuses) == {202, 429}


def test_beyond_the_limit_the_text_stays_and_goes_by_itself_when_it_may(inside, site):
    # One in fifteen seconds.
    site.limit("acme", requests_per_minute=4)
    flood(inside.page, site.key())
    inside.asks_for("Good morning.")
    expect(inside.problem).to_contain_text("1 text waits")
    expect(inside.page.get_by_label("Text to translate")).to_have_value("Good morning.")
    expect(inside.status).to_have_text("Waiting", timeout=40_000)
    assert [request.text for request, *_ in site.platform.appended if request.text != "A flood."] == [
        "Good morning."
    ]


def test_a_wait_for_the_limit_can_be_stopped(inside, site):
    site.limit("acme", requests_per_minute=1)
    inside.asks_for("The one.")
    expect(inside.status).to_have_text("Waiting")
    inside.page.get_by_role("button", name="New translation").click()
    inside.asks_for("The two.")
    inside.page.get_by_role("button", name="stop").click()
    expect(inside.page.get_by_role("button", name="Translate")).to_be_enabled()
    expect(inside.page.get_by_label("Text to translate")).to_have_value("The two.")
    expect(inside.problem).to_contain_text("Allowed: 1")
    assert len(site.platform.appended) == 1


def test_a_text_that_is_too_long_names_the_limit_and_the_cure(inside, site):
    text = "word " * (MOST_CHARACTERS // 5 + 1)
    inside.asks_for(text)
    expect(inside.problem).to_contain_text(f"Allowed: {MOST_CHARACTERS} characters")
    expect(inside.problem).to_contain_text("Split it")
    expect(inside.page.get_by_label("Text to translate")).to_have_value(text)


def test_nothing_to_translate_is_said_before_anybody_is_asked(inside, site):
    inside.sends()
    expect(inside.problem).to_contain_text("Write or paste a text first")
    expect(inside.page.get_by_label("Text to translate")).to_be_focused()
    assert not site.platform.appended


def test_without_a_worker_the_page_says_so(person, site):
    site.platform.served.clear()
    person.signs_in_with_key(site.key())
    expect(person.problem).to_contain_text("No worker is ready")


def test_a_job_that_expired_is_named_as_such(inside, site):
    inside.asks_for("Good morning.")
    expect(inside.status).to_have_text("Waiting")
    site.platform.views.clear()
    inside.page.reload()
    expect(inside.status).to_have_text("No longer there")


def test_while_the_server_is_gone_the_page_says_so_and_goes_on_when_it_is_back(inside, site):
    inside.asks_for(TEXT)
    job = site.platform.asked()
    site.platform.translate(job, PARTS[0])
    expect(inside.page.locator(".target")).to_have_text([PARTS[0]])
    site.stop()
    expect(inside.banner).to_contain_text("The server cannot be reached")
    site.platform.translate(job, PARTS[1])
    asked: list[str] = []

    def note(route: Route) -> None:
        asked.append(route.request.headers["last-event-id"])
        route.continue_()

    inside.page.route("**/events", note)
    site.start()
    expect(inside.page.locator(".target")).to_have_text(list(PARTS[:2]), timeout=40_000)
    expect(inside.banner).to_be_hidden()
    site.platform.finish(job, "\n\n".join(PARTS))
    expect(inside.status).to_have_text("Done")
    assert [target for _, target in inside.reads()] == list(PARTS)
    assert set(asked) == {"1.0"}


def test_a_text_whose_answer_was_lost_is_sent_again_as_the_same_job(inside, site):
    lost = []

    def lose(route):
        route.fetch()
        lost.append(route.request.headers["idempotency-key"])
        route.abort()

    inside.page.route("**/api/v1/translations", lose, times=1)
    inside.asks_for("Good morning.")
    expect(inside.problem).to_contain_text("The server cannot be reached")
    inside.sends()
    expect(inside.status).to_have_text("Waiting")
    assert lost
    assert len({request.request_id for request, *_ in site.platform.appended}) == 1


def test_what_is_stopped_while_another_text_goes_stays_in_the_form(inside, site):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    inside.adds(file("later.docx", b"PK"))
    inside.page.route("**/api/v1/translations", hold)
    inside.asks_for("Good morning.")
    while not held:
        inside.page.wait_for_timeout(20)
    inside.page.get_by_role("button", name="stop").click()
    held.pop().continue_()
    expect(inside.recent).to_have_count(1)
    expect(inside.page.get_by_role("button", name="Translate")).to_be_enabled()
    expect(inside.pending).to_contain_text(["later.docx"])
    assert [request.text for request, *_ in site.platform.appended] == ["Good morning."]

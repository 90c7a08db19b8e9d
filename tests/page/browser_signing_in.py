"""Somebody signs in, and out again; nobody else gets at what they have."""

from playwright.sync_api import Route, expect

from stream_apps.accounts.changes import Change, revoked
from tests.page.person import Person
from tests.page.platform import EMAIL, now_ms


def storage(person):
    return person.page.evaluate("[JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})]")


def test_a_password_lets_in_and_a_wrong_one_says_so(person):
    person.signs_in(password="wrong")
    expect(person.problem).to_contain_text("password")
    expect(person.page.get_by_label("Password")).to_be_focused()
    person.signs_in().is_in()
    expect(person.page.get_by_text(EMAIL)).to_be_visible()


def test_a_key_lets_in_and_is_kept_by_this_tab_only(person, site):
    key = site.key()
    person.signs_in_with_key(key[:-2] + "AA")
    expect(person.problem).to_be_visible()
    person.signs_in_with_key(key).is_in()
    local, session = storage(person)
    assert key not in local
    assert key in session
    assert key not in person.page.url
    assert key not in person.page.content()


def test_the_sign_in_survives_a_reload_and_not_another_tab(person, site):
    person.signs_in_with_key(site.key()).is_in()
    person.page.reload()
    person.is_in()
    with person.page.context.expect_page() as other:
        person.page.evaluate("void window.open('/', '_blank', 'noopener')")
    expect(other.value.get_by_role("heading", name="Sign in")).to_be_visible()


def test_signing_out_forgets_the_key_and_the_texts_and_ends_the_session(person, site):
    person.signs_in().is_in().asks_for("A secret plan.")
    expect(person.status).to_have_text("Waiting")
    token = person.page.evaluate("JSON.parse(sessionStorage['dragoman.session']).secret")
    person.page.get_by_role("button", name="Sign out").click()
    expect(person.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert storage(person)[1] == "{}"
    assert "A secret plan" not in person.page.locator("main").inner_text()
    answer = person.page.request.get("/api/v1/account", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.json()["type"]) == (401, "urn:dragoman:problem:ended_token")


def test_a_key_that_is_revoked_meanwhile_leads_back_to_the_form(person, site):
    key = site.key()
    person.signs_in_with_key(key).is_in()
    site.store.change(lambda found: [revoked(found.credential(key.split("_")[1]), Change("tests", now_ms()))])
    person.asks_for("Good morning.")
    expect(person.problem).to_contain_text("Your session has ended")


def test_each_account_sees_its_own_list(person, site):
    person.signs_in_with_key(site.key()).is_in().asks_for("Mine alone.")
    expect(person.recent).to_have_count(1)
    person.page.get_by_role("button", name="Sign out").click()
    person.signs_in_with_key(site.key("globex")).is_in()
    expect(person.recent).to_have_count(0)
    assert "Mine alone" not in person.page.locator("body").inner_text()


def test_the_account_shows_its_tenant_and_limits(person, site):
    site.limit("acme", requests_per_minute=120, characters_per_day=50_000)
    person.signs_in().is_in().page.get_by_text(EMAIL).click()
    facts = person.page.locator("#who-facts")
    expect(facts).to_contain_text("acme")
    expect(facts).to_contain_text("50,000")


def test_the_keyboard_is_enough(person, site):
    person.opens()
    expect(person.page.get_by_label("E-mail address")).to_be_focused()
    keys = person.page.keyboard
    keys.type(EMAIL)
    keys.press("Tab")
    keys.type("correct horse battery")
    keys.press("Enter")
    person.is_in()
    expect(person.page.get_by_label("Text to translate")).to_be_focused()
    keys.type("Good morning.")
    keys.press("Control+Enter")
    expect(person.page.get_by_role("heading", name="Good morning.")).to_be_focused()


def test_who_signs_out_while_a_text_is_sent_leaves_nothing_of_it_to_the_next_one(person, site):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    person.signs_in_with_key(site.key()).is_in()
    person.page.route("**/api/v1/translations", hold)
    person.asks_for("A secret plan.")
    while not held:
        person.page.wait_for_timeout(20)
    person.page.get_by_role("button", name="Sign out").click()
    person.sends_key(site.key(name="Another")).is_in()
    person.page.get_by_label("Text to translate").fill("Mine.")
    with person.page.expect_response("**/api/v1/translations"):
        held.pop().continue_()
    person.page.wait_for_timeout(200)
    expect(person.page.get_by_label("Text to translate")).to_have_value("Mine.")
    expect(person.page.get_by_role("button", name="Translate")).to_be_enabled()
    expect(person.recent).to_have_count(0)
    assert "A secret plan" not in "".join(storage(person))


def test_two_tabs_of_one_account_have_one_list(person, site):
    key = site.key()
    other = Person(person.page.context.new_page())
    for one in (person, other):
        one.signs_in_with_key(key).is_in()
    person.asks_for("The first.")
    expect(person.status).to_have_text("Waiting")
    other.asks_for("The second.")
    for one in (person, other):
        expect(one.recent).to_have_count(2)
    person.page.get_by_role("button", name="Clear the list").click()
    expect(other.recent).to_have_count(0)
    expect(other.page.get_by_label("Text to translate")).to_be_visible()

"""Keys are made, rotated and revoked; the usage of a month stands against its limits; roles are respected."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.page.samples import BOOKS


@pytest.fixture
def admin(person, site):
    return person.signs_in_with_key(site.key(role="admin", name="Web shop")).is_in()


def keys(person):
    return person.page.get_by_role("list", name="Keys in use").get_by_role("listitem")


def account_of(page, key):
    return page.request.get("/api/v1/account", headers={"Authorization": f"Bearer {key}"})


def shown_key(page):
    """Return the key that the dialog shows, and close it."""
    field = page.get_by_label("The new key")
    expect(field).to_have_value(re.compile(r"drg_\w+"))
    key = field.input_value()
    page.get_by_role("button", name="Done").click()
    expect(field).to_be_hidden()
    assert key not in page.content()
    return key


def test_a_key_is_made_with_a_role_and_scopes_and_shown_once(admin):
    page = admin.goes_to("API keys").page
    page.get_by_role("textbox", name="Name").fill("Build server")
    page.get_by_label("Role").select_option("viewer")
    page.get_by_label("usage:read").uncheck()
    page.get_by_label("Expires").select_option("30")
    page.get_by_role("button", name="Create key").click()
    account = account_of(page, shown_key(page)).json()
    assert (account["role"], account["scopes"]) == ("viewer", ["documents:read", "translations:read"])
    expect(keys(admin).filter(has_text="Build server")).to_contain_text("expires")


def test_a_key_that_is_asked_for_twice_in_a_row_is_made_once(admin):
    page = admin.goes_to("API keys").page
    page.get_by_role("textbox", name="Name").fill("Build server")
    # The roles are there once the view is.
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Create key").evaluate("(button) => (button.click(), button.click())")
    shown_key(page)
    expect(keys(admin)).to_have_count(2)


def test_a_key_that_is_made_while_somebody_signs_out_is_shown_to_nobody(admin, site):
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    page = admin.goes_to("API keys").page
    page.get_by_role("textbox", name="Name").fill("Build server")
    page.get_by_label("Role").select_option("viewer")
    page.route("**/api/v1/keys", hold)
    page.get_by_role("button", name="Create key").click()
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Sign out").click()
    with page.expect_response("**/api/v1/keys"):
        held.pop().continue_()
    page.wait_for_timeout(200)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(admin.problem).to_have_count(0)


def test_a_key_without_scopes_is_refused_before_it_is_made(admin):
    page = admin.goes_to("API keys").page
    page.get_by_role("textbox", name="Name").fill("Nothing")
    page.get_by_label("Role").select_option("viewer")
    for box in page.locator("#key-scopes input").all():
        box.uncheck()
    page.get_by_role("button", name="Create key").click()
    expect(admin.problem).to_contain_text("A key without scopes may do nothing. Choose one at least.")
    expect(keys(admin)).to_have_count(1)


def test_a_key_is_rotated_and_revoked_once_somebody_agrees(admin, site):
    old = site.key(name="Old")
    page = admin.goes_to("API keys").page
    page.get_by_role("button", name="Rotate Old").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    new = shown_key(page)
    assert account_of(page, old).ok
    assert account_of(page, new).ok
    expect(keys(admin).filter(has_text="Old")).to_have_count(2)
    row = keys(admin).filter(has_text=old.split("_")[1])
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    assert account_of(page, old).ok
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("Revoked and expired keys").click()
    expect(page.get_by_role("list", name="Revoked and expired keys")).to_contain_text(old.split("_")[1])
    assert account_of(page, old).status == 401


def test_revoking_the_own_key_leads_back_to_the_form(admin):
    page = admin.goes_to("API keys").page
    page.get_by_role("button", name="Revoke Web shop").click()
    expect(page.get_by_role("dialog")).to_contain_text("It is the key that you are signed in with.")
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(admin.problem).to_contain_text("Your session has ended")


def test_a_member_is_offered_no_keys_even_by_the_address(person, site):
    person.signs_in_with_key(site.key()).is_in()
    expect(person.page.get_by_role("link", name="API keys")).to_have_count(0)
    person.page.evaluate("location.hash = '#/keys'")
    expect(person.page.get_by_label("Text to translate")).to_be_visible()
    expect(person.page.get_by_role("button", name="Create key")).to_have_count(0)


def test_the_usage_of_the_month_stands_against_its_limits(person, site):
    BOOKS.fill(site)
    page = person.signs_in_with_key(site.key()).is_in().goes_to("Usage").page
    expect(page.get_by_role("meter", name="Budget of this month")).to_have_attribute(
        "aria-valuetext", "$412.50 of $500.00"
    )
    expect(page.get_by_role("meter", name="Characters of today (UTC)")).to_have_attribute(
        "aria-valuetext", re.compile(r"of 50,000$")
    )
    expect(page.get_by_role("row", name="English → Brazilian Portuguese")).to_contain_text("2,430")
    page.get_by_label("Month", exact=True).select_option(index=1)
    expect(page.get_by_role("meter")).to_have_count(0)
    expect(page.get_by_role("row", name="English → Portuguese")).to_contain_text("81,200")


def test_while_the_books_cannot_be_read_the_page_says_so(person, site):
    page = person.signs_in_with_key(site.key()).is_in()
    site.platform.take_away("books")
    page.goes_to("Usage")
    expect(person.problem).to_contain_text("Books is away")


def test_escape_leads_back_to_the_form(admin, site):
    admin.goes_to("Usage").page.keyboard.press("Escape")
    expect(admin.page.get_by_label("Text to translate")).to_be_focused()

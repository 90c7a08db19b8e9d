"""Somebody looks at the dashboard: pages, range, filters, peaks, tables, and what goes wrong."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from stream_apps.dashboard.panels import PAGES
from tests.dashboard.conftest import TOKEN, shown


def asked(page) -> dict[str, str]:
    """Return what the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def panel(page, title):
    return page.get_by_role("region", name=title, exact=True).first


def figure(page, title):
    return page.locator(".figures > div").filter(has_text=title).locator("dd").first


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.id)
def test_every_panel_of_every_page_shows_figures(opens, one):
    page = opens(one.id)
    expect(page.get_by_role("heading", level=1)).to_have_text(one.title)
    assert page.locator("#panels h2").all_inner_texts() == [panel.title for panel in one.panels]
    expect(page.locator("#panels .state")).to_have_count(0)
    expect(page.locator("#panels canvas")).to_have_count(
        sum(panel.kind in ("lines", "bars") for panel in one.panels)
    )


def test_a_link_signs_in_once_and_signing_out_ends_it(page, site):
    link = site.link()
    page.goto(link)
    shown(page)
    assert urlsplit(page.url).query == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("used already")


def test_the_token_signs_in_too_and_a_wrong_one_says_so(page):
    page.goto("/dashboard/cost?tenant=acme")
    page.get_by_label("Token of the query interface").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the token.")
    page.get_by_label("Token of the query interface").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    shown(page)
    assert asked(page) == {"tenant": "acme"}
    expect(page.get_by_label("Tenant", exact=True)).to_have_value("acme")
    stored = page.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
    assert TOKEN not in stored


def test_filters_stand_in_the_address_survive_a_reload_and_go_back(opens):
    page = opens("overview")
    whole = figure(page, "Answers").inner_text()
    page.get_by_label("Tenant", exact=True).select_option("acme")
    expect(figure(page, "Answers")).not_to_have_text(whole)
    page.get_by_label("Priority", exact=True).select_option("high")
    expect(page.get_by_role("button", name="critical")).to_have_count(0)
    assert asked(page) == {"tenant": "acme", "priority": "high"}
    page.reload()
    shown(page)
    expect(page.get_by_label("Priority", exact=True)).to_have_value("high")
    expect(panel(page, "Words that wait")).to_contain_text("Not filtered by tenant.")
    page.get_by_role("link", name="Cost").click()
    shown(page)
    assert asked(page) == {"tenant": "acme", "priority": "high"}
    page.go_back()
    page.go_back()
    expect(page.get_by_label("Priority", exact=True)).to_have_value("")
    page.get_by_role("button", name="Clear filters").click()
    assert asked(page) == {}
    expect(figure(page, "Answers")).to_have_text(re.compile(r"[\d,]+"))


def test_a_name_in_a_table_sets_the_filter(opens):
    page = opens("users?from=now-7d")
    panel(page, "Pairs").get_by_role("button", name="de-en").click()
    expect(page.get_by_label("Pair", exact=True)).to_have_value("de-en")
    assert asked(page) == {"from": "now-7d", "pair": "de-en"}


def test_dragging_zooms_and_zooming_out_doubles(opens):
    page = opens("overview")
    over = panel(page, "Answer time").locator(".u-over")
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("from="))
    zoomed = asked(page)
    length = int(zoomed["to"]) - int(zoomed["from"])
    assert 0.15 * 86_400 < length < 0.25 * 86_400
    expect(page.get_by_label("Live")).to_be_disabled()
    page.get_by_role("button", name="Zoom out").click()
    wider = asked(page)
    assert int(wider["to"]) - int(wider["from"]) == 2 * length
    page.get_by_label("Range", exact=True).select_option("now-7d")
    assert asked(page) == {"from": "now-7d"}


def test_a_typed_range_is_shown(opens):
    page = opens("overview")
    page.get_by_label("Range", exact=True).select_option("custom")
    page.get_by_label("From").fill("2026-01-01T08:00")
    page.get_by_label("To", exact=True).fill("2026-01-02T08:00")
    page.get_by_role("button", name="Apply").click()
    expect(panel(page, "Words by pair")).to_contain_text("Nothing in this range.")


def test_a_peak_opens_its_jobs_and_their_names_filter(opens):
    page = opens("overview?from=now-7d")
    panel(page, "Words by priority").locator(".u-over").click(position={"x": 200, "y": 100})
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("table")).to_be_visible()
    expect(dialog.get_by_label("Largest first by")).to_have_value("words")
    words = dialog.locator("tbody tr td:nth-child(8)").all_inner_texts()
    assert len(words) > 1
    page.reload()
    expect(dialog.get_by_role("table")).to_be_visible()
    dialog.get_by_label("Show").select_option("late")
    expect(dialog).to_contain_text(re.compile("No such jobs|Answered"))
    dialog.get_by_label("Show").select_option("")
    dialog.locator("tbody").get_by_role("button", name="acme").first.click()
    expect(dialog).to_be_hidden()
    assert asked(page) == {"from": "now-7d", "tenant": "acme"}


def test_all_of_it_works_with_the_keyboard(opens):
    page = opens("overview?from=now-7d")
    plot = page.get_by_role("slider", name="Answer time")
    plot.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"\w+, \w+ \d+, .*: 50 % .*, 95 % .*"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("table")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert asked(page) == {"from": "now-7d"}


def test_a_chart_is_a_table_too_with_the_way_to_its_jobs(opens):
    page = opens("overview?from=now-7d")
    words = panel(page, "Words by priority")
    words.get_by_role("button", name="Words by priority: as a table").click()
    expect(words.get_by_role("columnheader")).to_have_text(["Step", "critical", "high", "standard"])
    words.locator("tbody tr").nth(3).get_by_role("button").click()
    expect(page.get_by_role("dialog").get_by_role("table")).to_be_visible()


def test_tables_sort_by_each_column_and_keep_it_over_a_refresh(opens):
    page = opens("users?from=now-7d")
    users = panel(page, "Pairs")
    head = users.get_by_role("columnheader", name="Answers")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    counts = [int(text.replace(",", "")) for text in users.locator("tbody tr td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    with page.expect_response(re.compile("usage_by_pair")):
        pass
    expect(head).to_have_attribute("aria-sort", "ascending")


def test_a_legend_hides_a_series(opens):
    page = opens("overview?from=now-7d")
    entry = panel(page, "Words by priority").get_by_role("button", name=re.compile("^standard"))
    entry.click()
    again = panel(page, "Words by priority").get_by_role("button", name=re.compile("^standard"))
    expect(again).to_have_attribute("aria-pressed", "false")


def test_csv_comes_as_a_file_with_the_filters(opens):
    page = opens("users?from=now-7d&tenant=acme")
    with page.expect_download() as download:
        page.get_by_role("link", name="Users: CSV").click()
    text = download.value.path().read_text("utf-8")
    assert download.value.suggested_filename == "usage_by_user.csv"
    assert text.startswith("who,tenant,all_answers,words,known,kept,failures")
    assert {line.split(",")[1] for line in text.splitlines()[1:]} == {"acme"}


def test_the_period_before_stands_beside(opens):
    page = opens("overview?from=now-7d")
    page.get_by_label("Compare with before").check()
    expect(page.locator(".change").first).to_contain_text(re.compile(r"[+−±]\d.*% before: "))
    expect(panel(page, "Answer time")).to_contain_text("dashed: before")
    assert asked(page) == {"from": "now-7d", "compare": "previous"}


def test_what_comes_in_is_shown_by_itself(opens, site):
    page = opens("overview?from=now-1h&tenant=newcomer")
    expect(panel(page, "Words by pair")).to_contain_text("Nothing in this range with these filters.")
    site.books.run(
        "INSERT INTO usage_events "
        "(event_id, kind, tenant, priority, source_language, target_language, source_words, at) "
        "VALUES (generateUUIDv4(), 'billed', 'newcomer', 'high', 'en', 'pt', 77, now() - 60)"
    )
    expect(figure(page, "Words")).to_have_text("77")


def test_a_panel_that_fails_says_why_and_can_be_tried_again(opens, page):
    problem = '{"type": "urn:dragoman:problem:panel_failed", "detail": "too much memory", "cure": "choose less"}'
    headers = {"content-type": "application/problem+json"}
    failing = re.compile("panels/words_by_pair")
    page.route(failing, lambda route: route.fulfill(status=500, headers=headers, body=problem))
    opens("overview?live=off")
    broken = panel(page, "Words by pair")
    expect(broken).to_contain_text("too much memory")
    expect(broken).to_contain_text("Choose less.")
    page.unroute(failing)
    broken.get_by_role("button", name="Try again").click()
    expect(broken.locator("canvas")).to_be_visible()


def test_while_the_server_is_gone_figures_stay_and_the_page_says_so(opens, site):
    page = opens("overview")
    site.stop()
    expect(page.get_by_role("status").first).to_contain_text("The server cannot be reached.")
    expect(figure(page, "Answers")).to_have_text(re.compile(r"\d"))
    site.start()
    expect(page.locator("#connection")).to_be_hidden()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("overview?from=yesterday", "'yesterday' is no time"),
        ("overview?from=now-9000d", "Allowed: 400 days"),
        ("cost?priority=urgent", "Allowed: critical, high, standard"),
        ("users?pair=%27%20OR%201%3D1", "is no pair of languages"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused_with_its_cure(page, site, path, message):
    page.goto(site.link())
    page.goto(f"/dashboard/{path}")
    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.get_by_role("alert")).to_contain_text("Cure:")
    page.get_by_role("button", name="Show the last 24 hours").click()
    expect(page.locator("#panels canvas").first).to_be_visible()

"""Glossaries are made of lines and of files, looked through, and deleted."""

import pytest
from playwright.sync_api import Route, expect

from tests.page.samples import fill_the_shelf


@pytest.fixture
def inside(person, site):
    return person.signs_in_with_key(site.key()).is_in().goes_to("Glossaries")


def rows(person):
    return person.page.get_by_role("list", name="Glossaries").get_by_role("listitem")


def names(page, name, source="en", target="pt"):
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_label("Terms in").select_option(source)
    page.get_by_label("Translations in").select_option(target)


def saves(page):
    page.get_by_role("button", name="Save glossary").click()


def test_pasted_lines_become_a_glossary_and_the_next_ones_its_next_version(inside, site):
    page = inside.page
    names(page, "terms")
    page.get_by_label("Terms, one a line").fill("release = liberação\nBlue Bird\tPássaro Azul\n\nqueue; fila")
    saves(page)
    expect(rows(inside)).to_contain_text(["3 terms"])
    expect(page.get_by_role("cell", name="Pássaro Azul")).to_have_attribute("lang", "pt")
    page.get_by_role("button", name="New version").click()
    expect(page.get_by_label("Terms, one a line")).to_have_value(
        "release\tliberação\nBlue Bird\tPássaro Azul\nqueue\tfila"
    )
    page.get_by_label("Terms, one a line").fill("release = lançamento")
    saves(page)
    expect(rows(inside)).to_contain_text(["version 2"])
    expect(page.get_by_role("cell", name="lançamento")).to_be_visible()
    page.get_by_label("Version", exact=True).select_option("1")
    expect(page.get_by_role("cell", name="liberação")).to_be_visible()
    page.get_by_role("link", name="Translate").click()
    page.get_by_label("To", exact=True).select_option("pt")
    expect(page.get_by_label("Glossary", exact=True).get_by_role("option")).to_have_text(["None", "terms"])


def test_a_line_without_a_translation_is_named(inside, site):
    names(inside.page, "terms")
    inside.page.get_by_label("Terms, one a line").fill("release = liberação\nBlue Bird")
    saves(inside.page)
    expect(inside.problem).to_contain_text("Line 2 has no translation. Write the term")
    expect(rows(inside)).to_have_count(0)


def test_what_the_server_refuses_is_told_with_its_limit(inside, site):
    names(inside.page, "not a name!")
    inside.page.get_by_label("Terms, one a line").fill("release = liberação")
    saves(inside.page)
    expect(inside.problem).to_contain_text("Allowed: ")
    expect(inside.page.get_by_label("Terms, one a line")).to_have_value("release = liberação")


@pytest.mark.parametrize("format_name", ["csv", "tsv", "tbx"])
def test_a_file_goes_in_and_comes_out(person, site, format_name):
    fill_the_shelf(site.glossaries)
    page = person.signs_in_with_key(site.key()).is_in().goes_to("Glossaries").page
    page.get_by_role("button", name="Open product-terms").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {format_name.upper()}").click()
    assert download.value.suggested_filename == f"product-terms.2.{format_name}"
    content = download.value.path().read_bytes()
    page.get_by_label("Glossary file").set_input_files(
        [{"name": f"copy.{format_name}", "mimeType": "", "buffer": content}]
    )
    expect(page.get_by_role("textbox", name="Name")).to_have_value("copy")
    names(page, "copy")
    saves(page)
    expect(rows(person).filter(has_text="copy")).to_contain_text("4 terms")
    page.get_by_label("Find a term").fill("pássaro")
    expect(page.get_by_role("cell")).to_have_text(["Blue Bird", "Pássaro Azul"])


@pytest.mark.parametrize(
    ("file_name", "name"),
    [("термины.csv", ""), ("_terms (2).csv", "terms_2"), (f"{'x' * 80}.csv", "x" * 64)],
)
def test_a_file_gives_a_glossary_a_name_that_it_may_have_or_none(inside, file_name, name):
    inside.page.get_by_label("Glossary file").set_input_files(
        [{"name": file_name, "mimeType": "", "buffer": b"release,liberacao"}]
    )
    expect(inside.page.locator("#terms-file-name")).to_have_text(file_name)
    expect(inside.page.get_by_role("textbox", name="Name")).to_have_value(name)


def test_a_version_and_then_all_of_a_glossary_are_deleted_once_somebody_agrees(person, site):
    fill_the_shelf(site.glossaries)
    page = person.signs_in_with_key(site.key()).is_in().goes_to("Glossaries").page
    page.get_by_role("button", name="Open product-terms").click()
    page.get_by_role("button", name="Delete this version").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows(person).filter(has_text="product-terms")).to_contain_text("version 1")
    page.get_by_role("button", name="Delete product-terms").click()
    page.keyboard.press("Escape")
    expect(rows(person)).to_have_count(2)
    page.get_by_role("button", name="Delete product-terms").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows(person)).to_have_count(1)


def test_a_viewer_reads_glossaries_and_changes_none(person, site):
    fill_the_shelf(site.glossaries)
    person.signs_in_with_key(site.key(role="viewer"))
    person.goes_to("Glossaries").page.get_by_role("button", name="Open legal").click()
    expect(person.page.get_by_role("cell", name="Vertragspartei")).to_be_visible()
    expect(person.page.get_by_role("button", name="Delete")).to_have_count(0)
    expect(person.page.get_by_role("button", name="Save glossary")).to_have_count(0)


def test_an_answer_that_comes_after_signing_out_is_not_shown(person, site):
    fill_the_shelf(site.glossaries)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    person.signs_in_with_key(site.key()).is_in()
    person.page.route("**/api/v1/glossaries", hold)
    person.page.get_by_role("link", name="Glossaries").click()
    while not held:
        person.page.wait_for_timeout(20)
    person.page.get_by_role("button", name="Sign out").click()
    # What is held goes on its way.
    with person.page.expect_response("**/api/v1/glossaries"):
        person.page.unroute("**/api/v1/glossaries")
    person.page.wait_for_timeout(300)
    expect(person.page.locator("#glossary-rows > li")).to_have_count(0)

"""Source and translation side by side: what tools and people read in the files."""

import csv
import io
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from connectors.formats.bilingual.pairs import Bilingual, Pair
from connectors.formats.bilingual.registry import BILINGUAL
from connectors.formats.markup.html import HTML
from connectors.formats.protocol import Options
from schemas.coded_text import closing, detagged, isolated, opening
from tests.property.test_coded_text_properties import coded_texts

DOOR = f"Open <the> {opening(0)}door{closing(0)}{isolated(1)}& wait"
PORTA = f"Abra {opening(0)}a porta{closing(0)}{isolated(1)}& espere\x00"
DOCUMENT = Bilingual(
    "a & b.docx",
    "en",
    "pt-BR",
    [Pair("line 1", DOOR, PORTA), Pair("line 2", "Stop, now", "Stop, now", is_whole=False)],
)
XLIFF = "{urn:oasis:names:tc:xliff:document:2.0}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def written(kind: str, document: Bilingual = DOCUMENT) -> str:
    return "".join(BILINGUAL[kind].write(document))


def test_xliff_has_a_unit_for_each_with_its_codes_and_state():
    root = ElementTree.fromstring(written("xliff"))
    assert (root.attrib["srcLang"], root.attrib["trgLang"], root[0].attrib["original"]) == (
        "en", "pt-BR", "a & b.docx",
    )  # fmt: skip
    first, second = root.iter(f"{XLIFF}unit")
    assert first.attrib == {"id": "u1", "name": "line 1"}
    source, target = first[0]
    assert ("".join(source.itertext()), "".join(target.itertext())) == (
        "Open <the> door& wait", "Abra a porta& espere",
    )  # fmt: skip
    assert [(one.tag.removeprefix(XLIFF), one.attrib["id"]) for one in target] == [("pc", "1"), ("ph", "2")]
    assert target[0].text == "a porta"
    assert [unit[0].attrib["state"] for unit in (first, second)] == ["translated", "initial"]


def test_tmx_has_what_is_translated_in_both_languages():
    root = ElementTree.fromstring(written("tmx"))
    (unit,) = root.iter("tu")
    assert [one.attrib[LANG] for one in unit] == ["en", "pt-BR"]
    assert ["".join(one[0].itertext()) for one in unit] == ["Open <the> door& wait", "Abra a porta& espere"]
    assert [one.tag for one in unit[1][0]] == ["bpt", "ept", "ph"]


def test_the_page_shows_both_and_marks_what_has_no_translation():
    page = written("html")
    units = [unit.text for unit in HTML.extract(io.BytesIO(page.encode()), Options()).units]
    assert {"line 1", "Open <the> door & wait", "line 2", "Stop, now"} <= set(units)
    assert page.count("<tr>") == 2
    assert page.count('<tr class="hole">') == 1


def test_the_table_is_csv():
    rows = list(csv.reader(io.StringIO(written("csv"), newline="")))
    assert rows == [
        ["place", "en", "pt-BR"],
        ["line 1", "Open <the> door & wait", "Abra a porta & espere\x00"],
        ["line 2", "Stop, now", "Stop, now"],
    ]


@pytest.mark.parametrize(("kind", "name"), [("xliff", "a & b.en-pt-BR.xlf"), ("csv", "a & b.en-pt-BR.csv")])
def test_a_file_is_named_after_both_languages(kind, name):
    assert BILINGUAL[kind].named(DOCUMENT) == name


@settings(max_examples=40)
@given(coded_texts())
def test_any_unit_makes_sound_xml_with_its_text(text):
    document = Bilingual("a", "en", "pt", [Pair("p", text, text)])
    for kind, tag in (("xliff", f"{XLIFF}source"), ("tmx", "seg")):
        found = next(ElementTree.fromstring(written(kind, document)).iter(tag))
        assert "".join(found.itertext()) == detagged(text)


def test_returns_come_back_from_files_for_tools():
    document = Bilingual("a", "en", "pt", [Pair("p", "one\r\ntwo", "um\r\ndois")])
    for kind, tag in (("xliff", f"{XLIFF}target"), ("tmx", "seg")):
        *_, found = ElementTree.fromstring(written(kind, document)).iter(tag)
        assert found.text == "um\r\ndois"


def test_the_page_shows_each_language_in_its_own_direction():
    page = written("html", Bilingual("a", "en", "he", [Pair("p", "(one)", "(אחת)")]))
    assert '<td lang="en" dir="auto">(one)</td><td lang="he" dir="auto">(אחת)</td>' in page

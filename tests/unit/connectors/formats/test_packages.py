"""The rules of single formats that are archives, and of XLIFF."""

import io
import zipfile
from typing import Any

import odfdo
import openpyxl
import pytest

from connectors.formats.protocol import Warned
from tests.formats.makers import make_ods, make_odt, make_pdf, make_pptx, make_xlsx
from tests.formats.samples import FOLDER
from tests.unit.connectors.formats.documents import extracted, texts, translated

XLIFF = (
    b'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">'
    b'<file source-language="en"><body>%s</body></file></xliff>'
)
DONE = '<trans-unit id="1"><source>a</source><target>b</target></trans-unit>'
LOCKED = '<group translate="no"><trans-unit id="1"><source>a</source></trans-unit></group>'
OTHER = "<alt-trans><source>z</source><target>y</target></alt-trans>"


def part(data: bytes, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(data)).read(name).decode()


def test_cells_that_formulas_validations_and_tables_name_stay_with_a_warning():
    found = extracted("a.xlsx", make_xlsx())
    assert [unit.place for unit in found.units] == [
        "Stock!E1", "Stock!A2", "Stock!E2", "Stock!A3", "Stock!E5", "comment at A2", "chart1",
    ]  # fmt: skip
    assert found.warnings == (Warned("named_text_kept", 6, "Stock!A1"),)


def test_formulas_stay_and_are_calculated_anew():
    written = translated("a.xlsx", make_xlsx())
    sheet = openpyxl.load_workbook(io.BytesIO(written)).active
    assert sheet["E3"].value == '=IF(C2="open","Yes it is",A2&" no")'
    assert sheet["A2"].value == "CHAIR & CO"
    assert sheet["A2"].comment.text == "LOOK AT THIS"
    assert sheet["E5"].value == "  SPACES  "
    assert 'fullCalcOnLoad="1"' in part(written, "xl/workbook.xml")


def test_a_slide_tells_its_number_and_its_pages_are_counted():
    found = extracted("a.pptx", make_pptx())
    assert found.pages == 1
    assert {unit.place for unit in found.units} == {"slide 1", "notes of slide 1", "slide 1, chart1"}


def test_cells_of_opendocument_change_their_stored_value_too():
    written = translated("a.ods", make_ods())
    cells: Any = odfdo.Document(io.BytesIO(written)).body.get_table(0)
    assert (cells.get_value("A1"), cells.get_value("B1"), cells.get_value("A2")) == ("NAME", 12.5, "open")


def test_a_cell_of_two_paragraphs_and_a_note_changes_everywhere():
    cell = (
        b'<table:table-cell office:value-type="string" office:string-value="x">'
        b"<office:annotation><text:p>note</text:p></office:annotation><text:p>one</text:p><text:p>two</text:p></table:table-cell>"
    )
    source = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(make_ods())) as made, zipfile.ZipFile(source, "w") as target:
        for info in made.infolist():
            content = made.read(info)
            row = content.find(b"<table:table-row>") + len(b"<table:table-row>")
            target.writestr(
                info, content[:row] + cell + content[row:] if info.filename == "content.xml" else content
            )
    written = part(translated("a.ods", source.getvalue()), "content.xml")
    expected = cell.decode().replace(' office:string-value="x"', "")
    for word in ("note", "one", "two"):
        expected = expected.replace(f"<text:p>{word}", f"<text:p>{word.upper()}")
    assert expected in written


def test_spaces_of_opendocument_are_words_apart():
    assert texts("a.odt", make_odt())[1] == "This is <1bold1> text  with[2]tab[3]and break"
    written = part(translated("a.odt", make_odt()), "content.xml")
    assert 'TEXT<text:s text:c="2"/>WITH<text:tab/>' in written


def test_the_language_of_a_document_becomes_the_targets():
    written = translated("a.docx", (FOLDER / "docx" / "libreoffice.docx").read_bytes(), target="fr-CA")
    assert '<w:lang w:val="fr-CA"' in part(written, "word/styles.xml")
    written = translated("a.odt", (FOLDER / "odt" / "libreoffice.odt").read_bytes(), target="fr-CA")
    assert 'fo:language="fr" fo:country="CA"' in part(written, "styles.xml")


def test_a_book_is_read_in_its_order():
    places = [unit.place for unit in extracted("a.epub", (FOLDER / "epub" / "pandoc.epub").read_bytes()).units]
    names = list(dict.fromkeys(place.partition(",")[0] for place in places))
    assert [name for name in names if name != "nav.xhtml"] == [
        "title_page.xhtml", "ch001.xhtml", "ch002.xhtml", "table of contents", "title of the book",
    ]  # fmt: skip


def test_a_pdf_becomes_markdown_on_request():
    found = extracted("a.pdf", make_pdf(), output="md")
    assert found.pages == 2
    assert len(found.units) == 5
    assert (
        translated("a.pdf", make_pdf(), output="md").decode().startswith("## A REPORT\n\nTHIS IS A LONG PARAGRAPH")
    )


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ('<trans-unit id="1"><source>a</source></trans-unit>', ["a"]),
        ('<trans-unit id="1"><source>a</source><target/></trans-unit>', ["a"]),
        ('<trans-unit id="1"><source>a</source><target state="new">a</target></trans-unit>', ["a"]),
        (DONE + "<trans-unit><source>c</source></trans-unit>", ["c"]),
        (LOCKED + "<trans-unit><source>c</source></trans-unit>", ["c"]),
        ('<trans-unit id="1"><source>a <g id="1">b</g><x id="2"/> c</source></trans-unit>', ["a <1b1>[2] c"]),
        ('<trans-unit><source>a <bpt id="1">[</bpt>b<ept id="1">]</ept> c</source></trans-unit>', ["a <1b1> c"]),
        (f'<trans-unit id="1"><source>a</source>{OTHER}</trans-unit>', ["a"]),
    ],
)  # fmt: skip
def test_only_what_has_no_translation_is_a_unit_of_xliff(unit, expected):
    assert texts("a.xlf", XLIFF.replace(b"%s", unit.encode())) == expected


def test_a_target_stands_behind_its_source_and_asks_for_review():
    data = XLIFF.replace(b"%s", b'<trans-unit id="1"><source>a &lt; b</source><note>n</note></trans-unit>')
    written = translated("a.xlf", data).decode()
    assert '<source>a &lt; b</source><target state="needs-review-translation">A &lt; B</target><note>' in written
    assert '<file source-language="en" target-language="pt-BR">' in written


def test_a_file_of_xliff_without_content_gets_no_language():
    data = XLIFF.replace(b"%s", b'<trans-unit id="1"><source>a</source></trans-unit>')
    empty = b'<file source-language="en"/>'
    data = data.replace(b"<file", empty + b"<file", 1)
    assert translated("a.xlf", data).startswith(data[: data.index(empty) + len(empty)])


def test_xliff_1_1_is_read_as_1_2():
    data = XLIFF.replace(b"%s", b'<trans-unit id="1"><source>a</source></trans-unit>').replace(b"1.2", b"1.1")
    assert texts("a.xlf", data) == ["a"]

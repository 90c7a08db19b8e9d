"""The rules of OpenDocument."""

import io
import zipfile

import pytest

from connectors.formats.protocol import Warned
from tests.unit.connectors.formats.documents import extracted, package, texts, translated

ODF = "urn:oasis:names:tc:opendocument:xmlns:"
NAMES = {"draw": "drawing", "svg": "svg-compatible"}
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{ODF}{NAMES.get(prefix, prefix)}:1.0"'
    for prefix in ("office", "text", "table", "draw", "svg", "presentation", "style")
)
STRING = 'office:value-type="string"'


def document(kind: str, body: str) -> bytes:
    content = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return package(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {NAMESPACES}>{content}</office:document-content>",
        }
    )


def sheet(*cells: str, after: str = "") -> bytes:
    rows = "".join(f"<table:table-row>{cell}</table:table-row>" for cell in cells)
    return document("spreadsheet", f'<table:table table:name="S">{rows}</table:table>{after}')


def cell(text: str, attributes: str = STRING, comment: str = "") -> str:
    note = f"<office:annotation><text:p>{comment}</text:p></office:annotation>" if comment else ""
    return f"<table:table-cell {attributes}>{note}<text:p>{text}</text:p></table:table-cell>"


def content_of(data: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(data)).read("content.xml").decode()


def test_comments_at_numbers_and_formulas_are_translated():
    number = cell("12 kg", 'office:value-type="float" office:value="12"', "Too heavy")
    formula = cell("no", f'{STRING} table:formula="of:=[.A1]&amp;&quot;open&quot;"', "Made anew")
    data = sheet(number, formula)
    assert texts("a.ods", data) == ["Too heavy", "Made anew"]
    expected = content_of(data).replace("Too heavy", "TOO HEAVY").replace("Made anew", "MADE ANEW")
    assert content_of(translated("a.ods", data)) == expected


def test_a_text_that_a_formula_quotes_stays_where_it_has_a_comment_too():
    formula = cell("1", f'{STRING} table:formula="of:=[.A1]=&quot;open&quot;"')
    found = extracted("a.ods", sheet(formula, cell("open", comment="See above")))
    assert [unit.text for unit in found.units] == ["See above"]
    assert found.warnings == (Warned("named_text_kept", 1, "S, row 2"),)


@pytest.mark.parametrize(
    "naming",
    [
        '<table:filter-condition table:value="East" table:operator="="/>',
        '<table:filter-set-item table:value="East"/>',
        '<table:data-pilot-field table:source-field-name="East"/>',
        '<table:data-pilot-member table:name="East"/>',
        '<style:map style:condition="cell-content()=&quot;East&quot;"/>',
    ],
)
def test_texts_that_filters_pivot_tables_and_looks_name_stay(naming):
    data = sheet(cell("East"), cell("West end"), after=f"<table:database-ranges>{naming}</table:database-ranges>")
    assert texts("a.ods", data) == ["West end"]


def test_a_covered_cell_with_a_date_stays():
    covered = (
        '<table:covered-table-cell office:value-type="date"><text:p>1 May</text:p></table:covered-table-cell>'
    )
    assert texts("a.ods", sheet(covered, cell("Word"))) == ["Word"]


def test_the_stored_value_of_a_cell_goes_where_only_its_second_line_has_letters():
    data = sheet(cell("12</text:p><text:p>foo", f'{STRING} office:string-value="12&#10;foo"'))
    expected = content_of(data).replace(' office:string-value="12&#10;foo"', "").replace("foo", "FOO")
    assert content_of(translated("a.ods", data)) == expected


def test_headers_and_footers_of_slides_are_translated():
    declared = '<presentation:footer-decl presentation:name="f">Our firm</presentation:footer-decl>'
    found = extracted("a.odp", document("presentation", f"{declared}<draw:page/>"))
    assert [(unit.text, unit.place) for unit in found.units] == [("Our firm", "footer of slides")]


def test_repeated_cells_and_rows_are_one_unit():
    assert texts("a.ods", sheet(cell("Same", f'{STRING} table:number-columns-repeated="900"'))) == ["Same"]


def test_deleted_text_fields_and_citations_of_notes_stay():
    deleted = (
        "<text:tracked-changes><text:deletion><text:p>gone words</text:p></text:deletion></text:tracked-changes>"
    )
    body = "<text:note-body><text:p>Note</text:p></text:note-body>"
    note = f"<text:note><text:note-citation>a</text:note-citation>{body}</text:note>"
    fields = "<text:date>1 May</text:date> <text:sequence>Two</text:sequence>"
    data = document("text", f"{deleted}<text:p>See{note} {fields} now</text:p>")
    assert texts("a.odt", data) == ["See[1] [2] [3] now", "Note"]
    assert content_of(translated("a.odt", data)).count("gone words") == 1

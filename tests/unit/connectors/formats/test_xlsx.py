import io
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation

from tests.unit.connectors.formats.documents import extracted, package, texts, translated

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(item: str) -> bytes:
    return package(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{TYPE}.sharedStrings+xml"/></Types>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets/></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"/>',
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si>{item}</si></sst>',
        }
    )


def item_of(data: bytes) -> str:
    strings = zipfile.ZipFile(io.BytesIO(data)).read("xl/sharedStrings.xml").decode()
    return strings.partition("<si>")[2].partition("</si>")[0]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("one_x000D_\ntwo", "one\r\ntwo"),
        ("a_x005F_x000D_ b", "a_x000D_ b"),
        ("a_x0001_ b", "a_x0001_ b"),
        ("my_x_name &amp; b", "my_x_name & b"),
    ],
)
@pytest.mark.parametrize("around", ["<t>{}</t>", '<r><t xml:space="preserve">{}</t></r>'])
def test_escapes_of_cells_are_read_and_written_as_excel_does(written, read, around):
    source = workbook(around.format(written))
    assert texts("a.xlsx", source) == [read]
    assert item_of(translated("a.xlsx", source, f"x {read}")) == around.format(f"x {written}")


def sheet(attributes: bytes) -> bytes:
    """Make a workbook with one cell, and attributes in place of those of a validation and a link."""
    book = openpyxl.Workbook()
    page: Any = book.active
    page["A1"] = "A word"
    page["A1"].hyperlink = "http://x.org"
    page["A1"].hyperlink.tooltip = "TIP"
    validation = DataValidation(type="whole", formula1="3", prompt="PROMPT")
    page.add_data_validation(validation)
    validation.add("B2:B9")
    saved = io.BytesIO()
    book.save(saved)
    parts = {name: zipfile.ZipFile(saved).read(name) for name in zipfile.ZipFile(saved).namelist()}
    parts[SHEET] = parts[SHEET].replace(b'prompt="PROMPT"', attributes)
    return package(parts)


SHEET = "xl/worksheets/sheet1.xml"
ATTRIBUTES = b'promptTitle="Title" prompt="One &amp; \'two\'_x000a_three" errorTitle=\'No\' error="12"'


def test_prompts_and_errors_of_validations_and_tips_of_links_are_translated():
    source = sheet(ATTRIBUTES)
    assert texts("a.xlsx", source) == ["A word", "Title", "One & 'two'\nthree", "No", "TIP"]
    assert [unit.place for unit in extracted("a.xlsx", source).units][1:] == [
        "promptTitle at Sheet!B2:B9", "prompt at Sheet!B2:B9", "errorTitle at Sheet!B2:B9", "tooltip at Sheet!A1",
    ]  # fmt: skip
    written = openpyxl.load_workbook(io.BytesIO(translated("a.xlsx", source))).active
    assert written is not None
    validation = written.data_validations.dataValidation[0]
    assert (validation.promptTitle, validation.prompt) == ("TITLE", "ONE & 'TWO'\nTHREE")
    assert (validation.errorTitle, validation.error) == ("NO", "12")


def test_texts_of_validations_are_no_longer_than_excel_reads():
    units = ["A word", "x" * 33, "😀" * 200, "No", "TIP"]
    written = zipfile.ZipFile(io.BytesIO(translated("a.xlsx", sheet(ATTRIBUTES), *units))).read(SHEET).decode()
    assert f'promptTitle="{"x" * 31}…" prompt="{"😀" * 127}…"' in written

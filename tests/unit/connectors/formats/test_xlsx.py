import io
import zipfile

import pytest

from tests.unit.connectors.formats.documents import package, texts, translated

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

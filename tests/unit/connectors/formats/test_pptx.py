"""The order of a presentation."""

import io
import zipfile

from connectors.formats.protocol import Options
from connectors.formats.registry import extract
from tests.unit.connectors.formats.documents import package, texts, translated

P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
TYPE = "application/vnd.openxmlformats-officedocument"


def slide(root: str, words: str, before: str = "") -> str:
    return f'<p:{root} xmlns:p="{P}" xmlns:a="{A}">{before}<a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:{root}>'


def relations(*targets: str) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="x" Target="{target}"/>' for number, target in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{RELATIONS}">{listed}</Relationships>'


def presentation(order: list[int], picture: str = "") -> bytes:
    """Make slides 1 to 3 in this order, with notes of 1 and 3, a chart of 2 and a comment of 1."""
    kinds = {
        "presentation": "presentationml.presentation.main",
        **{f"slides/slide{number}": "presentationml.slide" for number in (1, 2, 3)},
        **{f"notesSlides/notesSlide{number}": "presentationml.notesSlide" for number in (1, 2)},
        "charts/chart7": "drawingml.chart",
        "charts/chart8": "drawingml.chart",
        "comments/comment1": "presentationml.comments",
    }
    types = "".join(
        f'<Override PartName="/ppt/{name}.xml" ContentType="{TYPE}.{kind}+xml"/>' for name, kind in kinds.items()
    )
    ids = "".join(f'<p:sldId id="{255 + one}" r:id="rId{one}"/>' for one in order)
    return package(
        {
            "[Content_Types].xml": f'<Types xmlns="{CONTENT_TYPES}">{types}</Types>',
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{R}"><p:sldIdLst>{ids}</p:sldIdLst>'
            "</p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations(
                "slides/slide1.xml", "/ppt/slides/slide2.xml", "slides/slide3.xml"
            ),
            "ppt/notesSlides/notesSlide1.xml": slide("notes", "Notes of three"),
            "ppt/notesSlides/notesSlide2.xml": slide("notes", "Notes of one"),
            "ppt/comments/comment1.xml": f'<p:cmLst xmlns:p="{P}"><p:cm><p:text>On one</p:text></p:cm></p:cmLst>',
            "ppt/charts/chart7.xml": slide("chart", "Chart of two"),
            "ppt/charts/chart8.xml": slide("chart", "Chart of nobody"),
            "ppt/slides/slide1.xml": slide("sld", "One", picture),
            "ppt/slides/_rels/slide1.xml.rels": relations(
                "../comments/comment1.xml", "../notesSlides/notesSlide2.xml", "slide2.xml"
            ),
            "ppt/slides/slide2.xml": slide("sld", "Two"),
            "ppt/slides/_rels/slide2.xml.rels": relations("../charts/chart7.xml"),
            "ppt/slides/slide3.xml": slide("sld", "Three"),
            "ppt/slides/_rels/slide3.xml.rels": relations("../notesSlides/notesSlide1.xml", "http://x.org/y"),
        }
    )


def test_slides_come_in_the_order_of_the_presentation_each_with_its_charts_and_notes():
    assert texts("a.pptx", presentation([3, 1, 2])) == [
        "Three", "Notes of three", "One", "Notes of one", "On one", "Two", "Chart of two", "Chart of nobody",
    ]  # fmt: skip


def test_places_count_slides_as_viewers_do():
    found = extract(io.BytesIO(presentation([3, 1, 2])), "a.pptx", "", Options("en", "pt")).extraction
    assert [unit.place for unit in found.units] == [
        "slide 1", "notes of slide 1", "slide 2", "notes of slide 2", "comments on slide 2", "slide 3",
        "slide 3, chart7", "chart8",
    ]  # fmt: skip


def test_slides_that_the_presentation_does_not_list_come_last():
    assert texts("a.pptx", presentation([2]))[:2] == ["Two", "Chart of two"]
    assert set(texts("a.pptx", presentation([2]))[2:]) == {
        "One", "Three", "Notes of one", "Notes of three", "On one", "Chart of nobody",
    }  # fmt: skip
    assert translated("a.pptx", presentation([2]))


def test_alternative_texts_and_their_titles_are_translated():
    source = presentation([1], '<p:cNvPr id="1" name="X" title="A title" descr="An alternative"/>')
    assert texts("a.pptx", source)[:3] == ["One", "A title", "An alternative"]
    written = zipfile.ZipFile(io.BytesIO(translated("a.pptx", source))).read("ppt/slides/slide1.xml").decode()
    assert '<p:cNvPr id="1" name="X" title="A TITLE" descr="AN ALTERNATIVE"/>' in written

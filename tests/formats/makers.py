"""Documents made by the libraries that people make them with, as bytes; and what those libraries read in them."""

import io
from typing import Any

import docx
import odfdo
import openpyxl
import pptx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

_W = nsdecls("w")
_FIELD = (
    '<w:fldChar w:fldCharType="begin"/>',
    "<w:instrText>PAGE</w:instrText>",
    '<w:fldChar w:fldCharType="separate"/>',
    "<w:t>12</w:t>",
    '<w:fldChar w:fldCharType="end"/>',
)
_BOX = (
    f'<w:r {_W} xmlns:v="urn:schemas-microsoft-com:vml"><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r>'
    "<w:t>Inside the box</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
)


def make_docx() -> bytes:
    """Runs of every kind, a link, a field, tracked changes, a table, header, footer, a text box."""
    document = docx.Document()
    document.add_heading("A report on fish", 0)
    mixed = document.add_paragraph("This is ")
    mixed.add_run("bold").bold = True
    mixed.add_run(" and ")
    mixed.add_run("italic").italic = True
    mixed.add_run(" text.")
    cut = document.add_paragraph()
    for piece in ("Hel", "lo ", "world"):
        cut.add_run(piece)
    document.add_paragraph().add_run("All bold here").bold = True
    broken = document.add_paragraph("Tab\there")
    broken.add_run().add_break()
    broken.add_run("second & <line>")
    _fielded(document.add_paragraph("See "))
    _changed(document.add_paragraph("Kept "))
    table = document.add_table(2, 2)
    for row, column, text in ((0, 0, "Name"), (0, 1, "Price"), (1, 0, "Cod"), (1, 1, "12")):
        table.cell(row, column).text = text
    document.sections[0].header.paragraphs[0].text = "The header"
    document.sections[0].footer.paragraphs[0].text = "The footer"
    boxed = document.add_paragraph("Box: ")
    boxed._p.append(parse_xml(_BOX))
    boxed.add_run(" after the box")
    return _saved(document)


def _fielded(paragraph: Any) -> None:
    link = '<w:r><w:rPr><w:u w:val="single"/></w:rPr><w:t>the page</w:t></w:r>'
    paragraph._p.append(parse_xml(f'<w:hyperlink {_W} w:anchor="x">{link}</w:hyperlink>'))
    for inner in ('<w:t xml:space="preserve"> on page </w:t>', *_FIELD, '<w:t xml:space="preserve"> today.</w:t>'):
        paragraph._p.append(parse_xml(f"<w:r {_W}>{inner}</w:r>"))


def _changed(paragraph: Any) -> None:
    gone, added = "<w:r><w:delText>gone</w:delText></w:r>", "<w:r><w:t>added</w:t></w:r>"
    paragraph._p.append(parse_xml(f'<w:del {_W} w:id="1" w:author="a">{gone}</w:del>'))
    paragraph._p.append(parse_xml(f'<w:ins {_W} w:id="2" w:author="a">{added}</w:ins>'))


def read_docx(data: bytes) -> list[Any]:
    """Return the paragraphs with the texts and looks of their runs, and all cells."""
    document = docx.Document(io.BytesIO(data))
    paragraphs = [
        (paragraph.style.name if paragraph.style else "", [(run.bold, run.italic) for run in _worded(paragraph)])
        for paragraph in document.paragraphs
    ]
    return [*paragraphs, [[len(row.cells) for row in table.rows] for table in document.tables]]


def _worded(paragraph: Any) -> list[Any]:
    """Return one run of each neighbouring ones that look the same."""
    runs: list[Any] = []
    for run in paragraph.runs:
        if run.text and not (runs and (runs[-1].bold, runs[-1].italic) == (run.bold, run.italic)):
            runs.append(run)
    return runs


def make_pptx() -> bytes:
    """Placeholders, mixed runs, a line break, notes, a table, a chart."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Fish & chips"
    frame = slide.placeholders[1].text_frame
    frame.text = "First point"
    mixed = frame.add_paragraph()
    for text, is_bold in (("Second ", None), ("bold", True), (" point", None)):
        run = mixed.add_run()
        run.text, run.font.bold = text, is_bold
    broken = frame.add_paragraph()
    broken.add_run().text = "one"
    broken.add_line_break()
    broken.add_run().text = "two"
    slide.notes_slide.notes_text_frame.text = "Say hello."
    inch = Inches(1)
    slide.shapes.add_table(1, 2, inch, inch, inch, inch).table.cell(0, 0).text = "Cell"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("Sales", (1, 2))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, inch, inch, inch, inch, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Our sales"
    return _saved(presentation)


def read_pptx(data: bytes) -> list[Any]:
    """Return the shapes with the looks of their runs."""
    presentation = pptx.Presentation(io.BytesIO(data))
    return [
        [
            [[run.font.bold for run in paragraph.runs] for paragraph in shape.text_frame.paragraphs]
            if shape.has_text_frame
            else shape.shape_type
            for shape in slide.shapes
        ]
        for slide in presentation.slides
    ]


def make_xlsx() -> bytes:
    """Plain and rich cells, a formula that quotes a cell, a validation, a table, a comment, a chart."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Stock"
    for row in (["Name", "Price", "State"], ["Chair & co", 12, "open"], ["Table", 30, "closed"]):
        sheet.append(row)
    sheet["E1"], sheet["E4"], sheet["E5"], sheet["E6"] = "A note for you", "Yes it is", "  spaces  ", "12-34"
    sheet["E2"] = CellRichText("Plain ", TextBlock(InlineFont(b=True), "bold"), " tail")
    sheet["E3"] = '=IF(C2="open","Yes it is",A2&" no")'
    sheet["A2"].comment = Comment("Look at this", "Joe")
    validation = DataValidation(type="list", formula1='"open,closed"')
    sheet.add_data_validation(validation)
    validation.add("C2")
    sheet.add_table(Table(displayName="T", ref="A1:C3"))
    chart = BarChart()
    chart.title = "Prices of things"
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3))
    sheet.add_chart(chart, "G1")
    return _saved(book)


def read_xlsx(data: bytes) -> list[Any]:
    """Return every cell: texts as their length and kind, all else as it is."""
    sheet: Any = openpyxl.load_workbook(io.BytesIO(data), rich_text=True).active
    return [[_cell(cell.value) for cell in row] for row in sheet.iter_rows()]


def _cell(value: Any) -> Any:
    if isinstance(value, CellRichText):
        return [isinstance(piece, TextBlock) for piece in value]
    return len(value) if isinstance(value, str) and not value.startswith("=") else value


def make_odt() -> bytes:
    """A heading, a span, a link, spaces, a tab, a footnote, a table."""
    document = odfdo.Document("text")
    document.body.clear()
    document.body.append(odfdo.Header(1, "A report"))
    mixed = odfdo.Paragraph("This is ")
    mixed.append(odfdo.Span("bold", style="B"))
    mixed.append_plain_text(" text  with\ttab\nand break")
    document.body.append(mixed)
    linked = odfdo.Paragraph("See ")
    linked.append(odfdo.Link("https://example.com", text="the link"))
    document.body.append(linked)
    noted = odfdo.Paragraph("With a note")
    noted.insert_note(after="note", note_id="n1", citation="1", body="The body of it")
    document.body.append(noted)
    table = odfdo.Table("T")
    table.set_value("A1", "Cell text")
    table.set_value("B1", 12)
    document.body.append(table)
    return _saved(document)


def make_ods() -> bytes:
    """Texts, a number, a formula that quotes a cell."""
    document = odfdo.Document("spreadsheet")
    document.body.clear()
    table = odfdo.Table("Sheet")
    for place, value in (("A1", "Name"), ("B1", 12.5), ("A2", "open")):
        table.set_value(place, value)
    computed = odfdo.Cell("yes", formula='of:=IF([.A2]="open";"yes";"no")')
    table.set_cell("C1", computed)
    document.body.append(table)
    return _saved(document)


def make_odp() -> bytes:
    """A slide with a title."""
    document = odfdo.Document("presentation")
    document.body.clear()
    page = odfdo.DrawPage("page1", name="First")
    page.append(odfdo.Frame.text_frame("A title of a slide", size=("7cm", "5cm"), position=("1cm", "1cm")))
    document.body.append(page)
    return _saved(document)


def read_odf(data: bytes) -> list[Any]:
    """Return the names of all elements of the body, and numbers."""
    document = odfdo.Document(io.BytesIO(data))
    elements = document.body.get_elements("descendant::*")
    return [(one.tag, one.get_attribute("office:value"), one.get_attribute("xlink:href")) for one in elements]


def make_pdf() -> bytes:
    """Two pages, headings, paragraphs of several lines."""
    styles = getSampleStyleSheet()
    output = io.BytesIO()
    long = "This is a long paragraph with many words. " * 12
    pieces = [("A report", "Title"), (long, "Normal"), ("Next part", "Heading1"), ("Next words.", "Normal")]
    story: list[Any] = [Paragraph(text, styles[style]) for text, style in pieces]
    SimpleDocTemplate(output).build([*story, PageBreak(), Paragraph("On page two.", styles["Normal"])])
    return output.getvalue()


def _saved(document: Any) -> bytes:
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()

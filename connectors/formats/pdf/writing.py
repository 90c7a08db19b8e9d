"""Write paragraphs as a Word document or as Markdown. Every page of the source begins on a new one."""

import zipfile
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from connectors.formats.plain.markdown_inline import escaped as markdown_escaped
from connectors.formats.xml_tree import escaped

HEADING, PARAGRAPH = "heading", "paragraph"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CONTENT_TYPES = (
    f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_TYPE}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
)
_RELATIONS = (
    f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/{{kind}}" Target="{{target}}"/></Relationships>'
)
_STYLES = (
    f'{_DECLARATION}<w:styles xmlns:w="{_W}">'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
    '<w:pPr><w:spacing w:after="160"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/>'
    '<w:next w:val="Normal"/><w:pPr><w:keepNext/><w:outlineLvl w:val="0"/></w:pPr>'
    '<w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style></w:styles>'
)


class Piece(NamedTuple):
    """A paragraph or heading of a page (from 1)."""

    kind: str
    text: str
    page: int


def write_docx(pieces: Sequence[Piece], output: BinaryIO) -> None:
    """Write a Word document."""
    body = "".join(
        _paragraph(piece, is_new_page=number > 0 and piece.page != pieces[number - 1].page)
        for number, piece in enumerate(pieces)
    )
    document = f'{_DECLARATION}<w:document xmlns:w="{_W}"><w:body>{body}<w:sectPr/></w:body></w:document>'
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _RELATIONS.format(kind="officeDocument", target="word/document.xml"),
        "word/document.xml": document,
        "word/_rels/document.xml.rels": _RELATIONS.format(kind="styles", target="styles.xml"),
        "word/styles.xml": _STYLES,
    }
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # The same texts give the same bytes, at any time.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _paragraph(piece: Piece, *, is_new_page: bool) -> str:
    style = '<w:pStyle w:val="Heading1"/>' if piece.kind == HEADING else ""
    page = "<w:pageBreakBefore/>" if is_new_page else ""
    properties = f"<w:pPr>{style}{page}</w:pPr>" if style or page else ""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{escaped(piece.text)}</w:t></w:r></w:p>'


def write_markdown(pieces: Sequence[Piece], output: BinaryIO) -> None:
    """Write Markdown in UTF-8."""
    texts = [("## " if piece.kind == HEADING else "") + markdown_escaped(piece.text) for piece in pieces]
    output.write(("\n\n".join(texts) + "\n").encode())

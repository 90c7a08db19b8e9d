"""PDF: the text of its text layer, in paragraphs. What is written is a Word document or Markdown, not a PDF.

The filter option `output` is `docx` (default) or `md`. Tables, columns and pictures are not kept.
"""

import ctypes
from collections.abc import Sequence
from statistics import median
from typing import Any, BinaryIO

import pypdfium2 as pdfium

from connectors.formats.coding import coded_of
from connectors.formats.merging import Writer, spliced
from connectors.formats.pdf.paragraphs import Line, blocks
from connectors.formats.pdf.writing import HEADING, PARAGRAPH, Piece, write_docx, write_markdown
from connectors.formats.protocol import Extraction, Options, Warned
from connectors.formats.refusals import encrypted, malformed, no_text_layer
from connectors.formats.splicing import Found, Skeleton, extraction_of

# What may be written.
OUTPUTS = ("docx", "md")
_PASSWORD = "password"


class PdfFilter:
    """Reads PDF and writes what its options say."""

    media_types = frozenset({"application/pdf"})
    version = "1"

    def extract(self, source: BinaryIO, options: Options) -> Extraction:
        pages = _pages(source.read())
        if not any(pages):
            raise no_text_layer()
        usual = median(line.height for lines in pages for line in lines)
        pieces: list[Piece] = []
        found: list[Found] = []
        for number, lines in enumerate(pages, 1):
            for block in blocks(lines, usual):
                coded = coded_of(block.text) if any(map(str.isalpha, block.text)) else None
                # The place in the list is the offset: a unit is a piece.
                if coded:
                    found.append(Found(len(pieces), len(pieces) + 1, coded, f"page {number}"))
                pieces.append(Piece(HEADING if block.is_heading else PARAGRAPH, block.text, number))
        empty = [number for number, lines in enumerate(pages, 1) if not lines]
        warnings = (Warned("page_without_text", len(empty), f"page {empty[0]}"),) if empty else ()
        return extraction_of(found, options.limits, {"pieces": pieces}, warnings, len(pages))

    def merge(
        self, _source: BinaryIO, skeleton: bytes, units: Sequence[str], output: BinaryIO, options: Options
    ) -> None:
        read = Skeleton.decoded(skeleton)
        pieces = [Piece(*piece) for piece in read.notes["pieces"]]
        for change in Writer(lambda _: str, spliced).changes(read, units):
            pieces[change.start] = pieces[change.start]._replace(text=change.text)
        write = write_markdown if options.settings.get("output") == "md" else write_docx
        write(pieces, output)


def _pages(data: bytes) -> list[list[Line]]:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if _PASSWORD in str(error).lower():
            raise encrypted() from error
        raise malformed("the PDF cannot be read") from error
    try:
        return [_lines(document[number]) for number in range(len(document))]
    except pdfium.PdfiumError as error:
        raise malformed("a page of the PDF cannot be read") from error
    finally:
        document.close()


def _lines(page: Any) -> list[Line]:
    text_page = page.get_textpage()
    characters = [chr(pdfium.raw.FPDFText_GetUnicode(text_page, at)) for at in range(text_page.count_chars())]
    lines: list[Line] = []
    start = 0
    for at, character in enumerate([*characters, "\n"]):
        if character != "\n":
            continue
        text = "".join(characters[start:at]).rstrip("\r")
        if text.strip():
            lines.append(_line(text_page, text, start, characters))
        start = at + 1
    text_page.close()
    page.close()
    return lines


def _line(text_page: Any, text: str, start: int, characters: Sequence[str]) -> Line:
    seen = [at for at in range(start, start + len(text)) if not characters[at].isspace()]
    left, bottom, right, _ = text_page.get_charbox(seen[0], loose=True)
    right = max(right, text_page.get_charbox(seen[-1], loose=True)[2])
    height = _font_size(text_page, seen[len(seen) // 2])
    return Line(_text(text), left, right, bottom, height)


def _font_size(text_page: Any, at: int) -> float:
    _, bottom, _, top = text_page.get_charbox(at, loose=True)
    return max(float(ctypes.c_double(top - bottom).value), 0.1)


def _text(text: str) -> str:
    """Put halves of characters together, which pdfium gives one by one on some systems."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


PDF = PdfFilter()

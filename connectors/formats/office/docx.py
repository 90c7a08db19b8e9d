"""Word documents: a unit is a paragraph of the body, headers, footers, notes, comments, text boxes, charts."""

import re
from collections.abc import Iterator

from connectors.formats.coding import coded_of
from connectors.formats.office.docx_paragraph import Fields, ParagraphReader
from connectors.formats.office.drawing import drawing_units
from connectors.formats.office.parts import by_content_type
from connectors.formats.office.run_syntax import tidy
from connectors.formats.packages import Package, PackageFilter
from connectors.formats.protocol import Options, Warned
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Again, Found, Stamp
from connectors.formats.xml_tree import Element, XmlFile

_TEXTS = re.compile(r"wordprocessingml\.(?:document|template|header|footer|footnotes|endnotes|comments)")
_DRAWINGS = re.compile(r"drawingml\.(?:chart|diagramData)\+xml")
# How Word drew the diagrams last: what it shows, with the words of their data.
_DRAWN = re.compile(r"drawingml\.diagramDrawing\+xml")
# Attributes that readers see: alternative texts, tips of links, and words drawn as a picture.
_SEEN = {
    "wp:docPr": ("title", "descr"),
    "w:hyperlink": ("w:tooltip",),
    "?:shape": ("alt",),
    "?:textpath": ("string",),
}
_STYLES = re.compile(r"wordprocessingml\.styles")


def units(package: Package, options: Options, _warnings: list[Warned]) -> Iterator[Found | Stamp | Again]:
    """Find the units of a document, the body first."""
    parts = by_content_type(package, _TEXTS)
    if not parts:
        raise malformed("the document has no body")
    for part in sorted(parts, key=lambda name: (not _is_body(name), parts.index(name))):
        yield from _paragraphs(package.xml(part), part)
    for part in by_content_type(package, _DRAWINGS):
        yield from drawing_units(package.xml(part), part, part.rpartition("/")[2])
    for part in by_content_type(package, _DRAWN):
        yield from map(Again, drawing_units(package.xml(part), part, part.rpartition("/")[2]))
    for part in by_content_type(package, _STYLES):
        yield from _language(package.xml(part), part, options)


def _is_body(part: str) -> bool:
    return "document" in part and "glossary" not in part


def _paragraphs(file: XmlFile, part: str) -> Iterator[Found | Again]:
    name = part.removeprefix("word/").removesuffix(".xml")
    where = "" if name == "document" else f"{name}, "
    fields = Fields()
    number = fallback = 0
    for element in file.root.walk():
        found: Iterator[Found] = iter(())
        if element.name == "w:p":
            number += 1
            found = ParagraphReader(file, element, fields).found(part, f"{where}paragraph {number}")
        elif element.name in _SEEN:
            found = _attributes(file, element, part, f"{where}paragraph {number}")
        elif element.name == "mc:Fallback":  # what older programs show in place of the same in newer syntax
            fallback = max(fallback, element.end)
        yield from map(Again, found) if element.start < fallback else found


def _attributes(file: XmlFile, element: Element, part: str, paragraph: str) -> Iterator[Found]:
    is_picture = element.name == "wp:docPr"
    place = f"picture {element.attributes.get('id', '')}" if is_picture else paragraph
    for name in _SEEN[element.name]:
        text = element.attributes.get(name, "")
        span = file.attribute(element, name.rpartition(":")[2]) if any(map(str.isalpha, text)) else None
        coded = coded_of(text) if span else None
        if span and coded:
            yield Found(*span, coded, place, "attribute", part=part)


def _language(file: XmlFile, part: str, options: Options) -> Iterator[Stamp]:
    for element in file.root.walk() if options.target_language else ():
        span = file.attribute(element, "val") if element.name == "w:lang" else None
        if span:
            yield Stamp(*span, options.target_language, part)


DOCX = PackageFilter(
    frozenset({"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}), "2", units, tidy=tidy
)

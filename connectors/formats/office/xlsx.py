"""Excel workbooks: a unit is a text of cells (each text once), a comment, a prompt or an error of a validation, a
tip of a link, or a paragraph of a drawing or a chart.

Formulas, numbers, sheet names and defined names stay, and so do texts that something else in the workbook names.
"""

import re
from collections.abc import Iterator

from connectors.formats.coding import coded_of
from connectors.formats.merging import Encode
from connectors.formats.office.drawing import drawing_units
from connectors.formats.office.parts import by_content_type
from connectors.formats.office.run_syntax import RunSyntax, tidy
from connectors.formats.office.sheet_attributes import encoder_of, may_have_attributes, sheet_attributes
from connectors.formats.office.workbook import Workbook, cell_escaped, unescaped
from connectors.formats.packages import Package, PackageFilter, Part
from connectors.formats.protocol import Options, Warned
from connectors.formats.refusals import malformed
from connectors.formats.runs import Item, Words, coded_runs
from connectors.formats.splicing import Found, Stamp
from connectors.formats.xml_tree import XML_ENCODERS, Element, Text, XmlFile, XmlText

_WORKBOOK = re.compile(r"spreadsheetml\.(?:sheet|template)\.main")
_SHARED = re.compile(r"spreadsheetml\.sharedStrings")
_COMMENTS = re.compile(r"spreadsheetml\.comments")
_THREADS = re.compile(r"ms-excel\.threadedcomments")
_DRAWINGS = re.compile(r"drawing\+xml|drawingml\.(?:chart|diagramData)\+xml")


def units(package: Package, _options: Options, warnings: list[Warned]) -> Iterator[Found | Stamp]:
    """Find the units of a workbook."""
    books = by_content_type(package, _WORKBOOK)
    if not books:
        raise malformed("the workbook has no main part")
    book = Workbook(package, books[0])
    kept: list[str] = []
    yield from _cells(package, book, kept)
    for part, sheet in book.sheets.items():
        data = package.read(part)
        if may_have_attributes(data):
            yield from sheet_attributes(XmlText(data).data, part, sheet)
    for part in by_content_type(package, _COMMENTS):
        yield from _named_texts(package.xml(part), part, "s:comment")
    for part in by_content_type(package, _THREADS):
        yield from _threads(package.xml(part), part)
    for part in by_content_type(package, _DRAWINGS):
        yield from drawing_units(package.xml(part), part, part.rpartition("/")[2].removesuffix(".xml"))
    if kept:
        warnings.append(Warned("named_text_kept", len(kept), kept[0]))
    yield from _calculated_anew(package.xml(books[0]), books[0])


def _cells(package: Package, book: Workbook, kept: list[str]) -> Iterator[Found]:
    for part in by_content_type(package, _SHARED):
        file = package.xml(part)
        for number, item in enumerate(one for one in file.root.elements() if one.name == "s:si"):
            yield from _cell(file, item, part, book.place_of(number), (book, kept))
    for part in book.sheets:
        if b"inlineStr" in package.read(part):
            file = package.xml(part)
            for element in file.root.walk():
                if element.name == "s:is" and element.parent:
                    place = f"{book.sheets[part]}!{element.parent.attributes.get('r', '')}"
                    yield from _cell(file, element, part, place, (book, kept))


def _cell(
    file: XmlFile, item: Element, part: str, place: str, naming: tuple[Workbook, list[str]]
) -> Iterator[Found]:
    book, kept = naming
    text = unescaped("".join(one.text() for one in _texts(item)))
    if not any(map(str.isalpha, text)):
        return
    if text.strip() in book.named:
        kept.append(place)
    else:
        yield from _rich(file, item, part, place)


def _texts(item: Element) -> Iterator[Element]:
    """Yield the text elements; phonetic guides are none."""
    for child in item.elements():
        if child.name == "s:t":
            yield child
        elif child.name == "s:r":
            yield from (one for one in child.elements() if one.name == "s:t")


def _rich(file: XmlFile, item: Element, part: str, place: str) -> Iterator[Found]:
    runs = [child for child in item.elements() if child.name == "s:r"]
    if runs:
        prefix = file.tag_prefix(runs[0])
        items = [words for run in runs for words in _words(file, run)]
        coded = coded_runs(items, RunSyntax(f"{prefix}r", f"{prefix}t", ' xml:space="preserve"'))
        if coded:
            yield Found(runs[0].start, runs[-1].end, coded, place, "cell", part=part)
        return
    for element in _texts(item):
        texts = [child for child in element.children if isinstance(child, Text)]
        coded = coded_of(unescaped(element.text()))
        if coded and texts:
            yield Found(element.inner, element.inner_end, coded, place, "cell", part=part)


def _words(file: XmlFile, run: Element) -> Iterator[Item]:
    properties = run.find("s:rPr")
    words = run.find("s:t")
    if words is not None:
        raw = file.raw(properties.start, properties.end) if properties else ""
        yield Words(unescaped(words.text()), raw)


def _named_texts(file: XmlFile, part: str, name: str) -> Iterator[Found]:
    for element in file.root.walk():
        content = element.find("s:text") if element.name == name else None
        if content:
            yield from _rich(file, content, part, f"comment at {element.attributes.get('ref', '')}")


def _threads(file: XmlFile, part: str) -> Iterator[Found]:
    for element in file.root.walk():
        coded = coded_of(element.text()) if element.name.endswith(":text") else None
        if coded and not any(element.elements()):
            yield Found(element.inner, element.inner_end, coded, "comment", "text", part=part)


def _calculated_anew(file: XmlFile, part: str) -> Iterator[Stamp]:
    """Let formulas over texts be calculated when the workbook is opened: their stored results are old."""
    for element in file.root.elements():
        if element.name == "s:calcPr" and "fullCalcOnLoad" not in element.attributes:
            end_of_name = element.start + 1 + len(file.tag_prefix(element)) + len("calcPr")
            yield Stamp(end_of_name, end_of_name, ' fullCalcOnLoad="1"', part)


def _open(package: Package, part: str) -> Part:
    return XmlText(package.read(part)) if "/worksheets/" in part else package.xml(part)


def _encoder(name: str) -> Encode:
    return _ENCODERS.get(name) or encoder_of(name)


_ENCODERS: dict[str, Encode] = {**XML_ENCODERS, "cell": cell_escaped}
XLSX = PackageFilter(
    frozenset({"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}),
    "3",
    units,
    _encoder,
    tidy=tidy,
    open_part=_open,
    pages_of=lambda package: len(by_content_type(package, re.compile(r"spreadsheetml\.worksheet"))),
)

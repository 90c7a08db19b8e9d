"""OpenDocument text, presentation and spreadsheet: a unit is a paragraph, a heading, or a cell's paragraph.

Formulas, numbers and dates stay, and so do texts of cells that a formula quotes or a validation lists.
"""

import re
from collections.abc import Iterator
from functools import partial

from connectors.formats.coding import coded_of
from connectors.formats.merging import Encode
from connectors.formats.opendocument.paragraph import ParagraphReader, count_of, spaced, tidy
from connectors.formats.packages import Package, PackageFilter
from connectors.formats.protocol import Options, Warned
from connectors.formats.refusals import encrypted, macros
from connectors.formats.splicing import Found, Stamp
from connectors.formats.xml_tree import Element, Text, XmlFile, escaped

_PARTS = ("content.xml", "styles.xml")
_PARAGRAPHS = frozenset({"text:h", "text:p"})
_LABELS = frozenset({"svg:desc", "svg:title", "table:desc", "table:title"})
# What slides show at their edges, by name.
_DECLARED = frozenset({"presentation:footer-decl", "presentation:header-decl"})
_CELLS = frozenset({"table:covered-table-cell", "table:table-cell"})
_SKIPPED = frozenset({"office:automatic-styles", "office:scripts", "text:tracked-changes"})
# What a style says about how it came to be, or about its language, is not seen.
_UNSEEN = re.compile(r"\?:rsid|\?:paragraph-rsid|fo:language|fo:country|style:(?:language|country)-\w+")
# Charts and other objects inside a document.
_EMBEDDED = re.compile(r"Object [^/]+/content\.xml")
_VALUE = re.compile(rb"\s\w+:string-value\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
# Attributes with formulas in them, and those that are the text of a cell.
_FORMULAS = ("table:formula", "table:condition", "table:expression", "style:condition", "?:value")
_NAMING = {
    "table:data-pilot-field": "table:source-field-name",
    "table:data-pilot-member": "table:name",
    "table:filter-condition": "table:value",
    "table:filter-set-item": "table:value",
}


def units(package: Package, options: Options, warnings: list[Warned]) -> Iterator[Found | Stamp]:
    """Find the units of a document, the body first."""
    _refuse(package)
    kept: list[str] = []
    embedded = [name for name in package.names() if _EMBEDDED.fullmatch(name)]
    for part in (*_PARTS, *embedded):
        if part in package.names():
            file = package.xml(part)
            yield from _Part(file, part, kept).units()
            yield from _languages(file, part, options)
    if kept:
        warnings.append(Warned("named_text_kept", len(kept), kept[0]))


def _refuse(package: Package) -> None:
    if any(name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in package.names()):
        raise macros()
    manifest = "META-INF/manifest.xml"
    if manifest in package.names() and b"encryption-data" in package.read(manifest):
        raise encrypted()


class _Part:
    """A part, with the counters that tell where something stands."""

    def __init__(self, file: XmlFile, part: str, kept: list[str]) -> None:
        self._file, self._part, self._kept = file, part, kept
        self._reader = ParagraphReader(file, part, _unseen_styles(file.root))
        self._named = _named(file.root)
        self._paragraph = self._slide = self._row = 0
        self._table = ""

    def units(self) -> Iterator[Found]:
        """Yield the units below the body, or of headers and footers."""
        pending = [self._file.root]
        while pending:
            element = pending.pop()
            self._count(element)
            if element.name in _SKIPPED or self._is_no_text(element):
                continue
            if element.name in _PARAGRAPHS:
                yield from self._found(element)
            elif element.name in _LABELS or element.name in _DECLARED:
                yield from self._label(element)
            is_kept = element.name in _CELLS and self._is_kept(element)
            below = (one for one in element.elements() if not (is_kept and one.name in _PARAGRAPHS))
            pending.extend(reversed(list(below)))

    def _count(self, element: Element) -> None:
        if element.name == "draw:page":
            self._slide += 1
        elif element.name == "table:table":
            self._table, self._row = element.attributes.get("table:name", ""), 0
        elif element.name == "table:table-row":
            self._row += count_of(element, "table:number-rows-repeated")
        elif element.name in _PARAGRAPHS:
            self._paragraph += 1

    def _place(self, element: Element) -> str:
        if _EMBEDDED.fullmatch(self._part):
            return self._part.partition("/")[0]
        if element.name in _DECLARED:
            return f"{element.name.partition(':')[2].removesuffix('-decl')} of slides"
        if self._part != _PARTS[0]:
            return f"styles, paragraph {self._paragraph}"
        if self._slide:
            return f"slide {self._slide}"
        return f"{self._table}, row {self._row}" if _is_in_table(element) else f"paragraph {self._paragraph}"

    def _is_no_text(self, element: Element) -> bool:
        """Tell whether an element is a placeholder, or the numbers of a chart."""
        if element.name == "table:table" and element.parent and element.parent.name == "chart:chart":
            return True  # the numbers of a chart, with their names
        # A placeholder of a master slide, which no slide shows.
        return self._part == _PARTS[1] and "presentation:class" in element.attributes

    def _is_kept(self, cell: Element) -> bool:
        """Tell whether a cell has a number, or a text that something else names; its comments are translated."""
        kind = cell.attributes.get("office:value-type", "string")
        if kind != "string" or "table:formula" in cell.attributes:
            return True
        if _cell_text(cell).strip() in self._named:
            self._kept.append(self._place(cell))
            return True
        return False

    def _value(self, paragraph: Element) -> tuple[int, int] | None:
        """Return the span of the attribute that repeats the text of a cell."""
        cell = paragraph.parent
        if cell is None or "office:string-value" not in cell.attributes:
            return None
        if next(filter(_has_letters, _paragraphs_of(cell)), None) is not paragraph:
            return None
        found = _VALUE.search(self._file.data, cell.start, cell.inner)
        return found.span() if found else None

    def _found(self, element: Element) -> Iterator[Found]:
        for found in self._reader.found(element, self._place(element), self._value(element)):
            if any(map(str.isalpha, found.coded.text)):
                yield found

    def _label(self, element: Element) -> Iterator[Found]:
        coded = coded_of(element.text())
        if coded and all(isinstance(child, Text) for child in element.children):
            yield Found(element.inner, element.inner_end, coded, self._place(element), "text", part=self._part)


def _paragraphs_of(cell: Element) -> Iterator[Element]:
    return (one for one in cell.elements() if one.name in _PARAGRAPHS)


def _cell_text(cell: Element) -> str:
    return "\n".join(one.text() for one in _paragraphs_of(cell))


def _has_letters(paragraph: Element) -> bool:
    return any(map(str.isalpha, paragraph.text()))


def _is_in_table(element: Element) -> bool:
    at: Element | None = element
    while at is not None and at.name != "table:table":
        at = at.parent
    return at is not None


def _unseen_styles(root: Element) -> frozenset[str]:
    styles = root.find("office:automatic-styles")
    return frozenset(
        style.attributes.get("style:name", "")
        for style in (styles.elements() if styles else ())
        if style.attributes.get("style:family") == "text"
        and "style:parent-style-name" not in style.attributes
        and all(_UNSEEN.fullmatch(name) for part in style.elements() for name in part.attributes)
    )


def _named(root: Element) -> frozenset[str]:
    """Collect the texts that formulas, validations and looks quote, and that filters and pivot tables name."""
    named: set[str] = set()
    for element in root.walk():
        for name in _FORMULAS:
            if name in element.attributes:
                named.update(found[1].replace('""', '"') for found in _QUOTED.finditer(element.attributes[name]))
        if element.name in _NAMING:
            named.add(element.attributes.get(_NAMING[element.name], "").strip())
    return frozenset(named - {""})


def _languages(file: XmlFile, part: str, options: Options) -> Iterator[Stamp]:
    """Yield the default language of the document's styles."""
    language, _, country = options.target_language.partition("-")
    for element in file.root.walk() if language else ():
        if element.name != "style:default-style":
            continue
        for properties in element.elements():
            for name, value in (("language", language), ("country", country if len(country) == 2 else "none")):
                span = file.attribute(properties, name) if f"fo:{name}" in properties.attributes else None
                if span and properties.name == "style:text-properties":
                    yield Stamp(*span, value, part)


def _slides(package: Package) -> int | None:
    return package.read("content.xml").count(b"<draw:page ") or None


def _encoder(name: str) -> Encode:
    return escaped if name == "text" else partial(spaced, name)


def _filter(kind: str) -> PackageFilter:
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    return PackageFilter(frozenset({media_type}), "2", units, _encoder, tidy, pages_of=_slides)


ODT, ODP, ODS = _filter("text"), _filter("presentation"), _filter("spreadsheet")

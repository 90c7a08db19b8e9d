"""PowerPoint presentations: a unit is a paragraph of a slide, its notes, comments, charts and diagrams."""

import re
from collections.abc import Iterator

from connectors.formats.coding import coded_of
from connectors.formats.office.drawing import drawing_units
from connectors.formats.office.parts import by_content_type
from connectors.formats.office.run_syntax import tidy
from connectors.formats.packages import Package, PackageFilter
from connectors.formats.protocol import Options, Warned
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import XmlFile

_SLIDES = re.compile(r"presentationml\.slide\+xml")
_OTHERS = re.compile(r"presentationml\.notesSlide\+xml|drawingml\.(?:chart|diagramData)\+xml")
_NUMBER = re.compile(r"\d{1,9}")


def units(package: Package, _options: Options, _warnings: list[Warned]) -> Iterator[Found]:
    """Find the units of a presentation in the order of its slides."""
    slides = sorted(by_content_type(package, _SLIDES), key=_number)
    if not slides:
        raise malformed("the presentation has no slide")
    for part in slides:
        yield from _of_part(package.xml(part), part, f"slide {_number(part)}")
    for part in by_content_type(package, _OTHERS):
        name = part.rpartition("/")[2].removesuffix(".xml")
        yield from _of_part(package.xml(part), part, name.replace("notesSlide", "notes of slide "))


def _of_part(file: XmlFile, part: str, place: str) -> Iterator[Found]:
    yield from drawing_units(file, part, place)
    for element in file.root.walk():
        span = file.attribute(element, "descr") if element.name == "p:cNvPr" else None
        coded = coded_of(element.attributes.get("descr", "")) if span else None
        if span and coded:
            yield Found(*span, coded, f"{place}, picture", "attribute", part=part)


def _number(part: str) -> int:
    found = _NUMBER.search(part.rpartition("/")[2])
    return int(found[0]) if found else 0


def _pages(package: Package) -> int:
    return len(by_content_type(package, _SLIDES))


PPTX = PackageFilter(
    frozenset(
        {
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
        }
    ),
    "1",
    units,
    tidy=tidy,
    pages_of=_pages,
)

"""PowerPoint presentations: a unit is a paragraph of a slide, its notes, comments, charts and diagrams."""

import re
from collections.abc import Iterator

from connectors.formats.coding import coded_of
from connectors.formats.office.drawing import drawing_units
from connectors.formats.office.parts import by_content_type, related
from connectors.formats.office.run_syntax import tidy
from connectors.formats.packages import Package, PackageFilter
from connectors.formats.protocol import Options, Warned
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import XmlFile

_MAIN = re.compile(r"presentationml\.(?:presentation|slideshow|template)\.main")
_SLIDES = re.compile(r"presentationml\.slide\+xml")
_NOTES = re.compile(r"presentationml\.notesSlide\+xml")
_COMMENTS = re.compile(r"presentationml\.comments\+xml|ms-powerpoint\.comments\+xml")
_DRAWINGS = re.compile(r"drawingml\.(?:chart|diagramData)\+xml")
_NUMBER = re.compile(r"\d{1,9}")


def units(package: Package, _options: Options, _warnings: list[Warned]) -> Iterator[Found]:
    """Find the units of a presentation in the order of its slides, each with what belongs to it."""
    slides = _ordered(package)
    if not slides:
        raise malformed("the presentation has no slide")
    others = _others(package)
    for number, slide in enumerate(slides, 1):
        yield from _of_part(package.xml(slide), slide, f"slide {number}")
        own = set(related(package, slide).values())
        for part in [one for one in others if one in own]:
            yield from _of_part(package.xml(part), part, others.pop(part).format(f"slide {number}"))
    for part in others:
        yield from _of_part(package.xml(part), part, _name(part))


def _ordered(package: Package) -> list[str]:
    """List the slides as the presentation does; those that it does not list follow, by numbers of files."""
    slides = sorted(by_content_type(package, _SLIDES), key=_number)
    listed = [
        part for main in by_content_type(package, _MAIN) for part in _listed(package, main) if part in slides
    ]
    return list(dict.fromkeys([*listed, *slides]))


def _listed(package: Package, main: str) -> list[str]:
    relations = related(package, main)
    return [
        relations.get(element.attributes.get("r:id", ""), "")
        for element in package.xml(main).root.walk()
        if element.name == "p:sldId"
    ]


def _others(package: Package) -> dict[str, str]:
    """Map the parts that belong to slides to how their place is called, in the order in which they follow them."""
    return {
        **{part: f"{{}}, {_name(part)}" for part in by_content_type(package, _DRAWINGS)},
        **dict.fromkeys(by_content_type(package, _NOTES), "notes of {}"),
        **dict.fromkeys(by_content_type(package, _COMMENTS), "comments on {}"),
    }


def _name(part: str) -> str:
    return part.rpartition("/")[2].removesuffix(".xml")


def _of_part(file: XmlFile, part: str, place: str) -> Iterator[Found]:
    yield from drawing_units(file, part, place)
    for element in file.root.walk():
        if element.name == "p:text" and not any(element.elements()) and (words := coded_of(element.text())):
            yield Found(element.inner, element.inner_end, words, place, "text", part=part)
        for name in ("title", "descr") if element.name == "p:cNvPr" else ():
            span = file.attribute(element, name)
            coded = coded_of(element.attributes.get(name, "")) if span else None
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
    "2",
    units,
    tidy=tidy,
    pages_of=_pages,
)

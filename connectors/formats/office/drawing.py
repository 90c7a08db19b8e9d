"""DrawingML: the paragraphs of slides, shapes, tables, diagrams and charts. Pure."""

import re
from collections.abc import Iterator

from connectors.formats.office.run_syntax import RunSyntax
from connectors.formats.protocol import CodeKind
from connectors.formats.runs import Alone, Item, Words, coded_runs
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import Element, XmlFile

_DROPPED = frozenset({"a:pPr", "a:endParaRPr"})
# Attributes of a run that do not change how it looks.
_UNSEEN = re.compile(r"\s(?:lang|altLang|dirty|err|noProof|smtClean|smtId|bmk)=\"[^\"]*\"")


def drawing_units(file: XmlFile, part: str, place: str) -> Iterator[Found]:
    """Find the paragraphs of a part."""
    for element in file.root.walk():
        if element.name == "a:p":
            yield from _paragraph(file, element, part, place)


def _paragraph(file: XmlFile, paragraph: Element, part: str, place: str) -> Iterator[Found]:
    content = [child for child in paragraph.elements() if child.name not in _DROPPED]
    prefix = file.tag_prefix(paragraph)
    items = [item for child in content for item in _items(file, child)]
    coded = coded_runs(items, RunSyntax(f"{prefix}r", f"{prefix}t")) if items else None
    if coded:
        yield Found(content[0].start, content[-1].end, coded, place, "text", part=part)


def _items(file: XmlFile, element: Element) -> Iterator[Item]:
    words = element.find("a:t")
    if element.name != "a:r" or words is None:
        kind = CodeKind.BREAK if element.name == "a:br" else CodeKind.OBJECT
        yield Alone(file.raw(element.start, element.end), element.start, kind)
        return
    found = element.find("a:rPr")
    yield Words(words.text(), _UNSEEN.sub("", file.raw(found.start, found.end)) if found else "")

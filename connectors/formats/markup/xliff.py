"""XLIFF 1.2 and 2: a unit is a source without a translation. Its target is added, marked as new work to review.

What is translated, approved or marked `translate="no"` stays.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.formats.coding import Coded, CodedBuilder
from connectors.formats.merging import Writer, spliced_utf8
from connectors.formats.protocol import CodeKind, Extraction, Options
from connectors.formats.splicing import Found, Skeleton, Stamp, extraction_of
from connectors.formats.xml_tree import XML_ENCODERS, Element, Text, XmlFile

# Around text; and those that begin or end somewhere, with what tells which belong together.
_PAIRS = frozenset({"x:g", "x:mrk", "x:pc"})
_BEGINS = frozenset({"x:bpt", "x:bx", "x:sc", "x:sm"})
_ENDS = frozenset({"x:ept", "x:ex", "x:ec", "x:em"})
_UNTRANSLATED = frozenset({"", "initial", "needs-translation", "new"})
_STATE = re.compile(r"\s(?:state|state-qualifier)\s*=\s*(?:\"[^\"]*\"|'[^']*')")


class XliffFilter:
    """Both versions. They differ in where a segment stands and where its state is written."""

    # Tools name both versions by either.
    media_types = frozenset({"application/xliff+xml", "application/x-xliff+xml"})
    version = "2"

    def extract(self, source: BinaryIO, options: Options) -> Extraction:
        file = XmlFile(source.read(), options.limits.depth)
        return extraction_of(_units(file, options), options.limits)

    def merge(
        self, source: BinaryIO, skeleton: bytes, units: Sequence[str], output: BinaryIO, options: Options
    ) -> None:
        changes = Writer(XML_ENCODERS.__getitem__, spliced_utf8).changes(Skeleton.decoded(skeleton), units)
        read = source.read()
        if not changes:
            output.write(read)
            return
        file = XmlFile(read, options.limits.depth)
        output.write(file.encoded(spliced_utf8(file.data.decode(), changes).encode()))


def _units(file: XmlFile, options: Options) -> Iterator[Found | Stamp]:
    number = 0
    for element in file.root.walk():
        if element.name in ("x:file", "x:xliff"):
            yield from _language(element, options)
        if element.name not in ("x:trans-unit", "x:segment"):
            continue
        number += 1
        source, target = element.find("x:source"), element.find("x:target")
        if source is None or _is_kept(element) or _is_translated(element, target):
            continue
        owner = element if element.name == "x:trans-unit" else element.parent
        name = owner.attributes.get("resname", owner.attributes.get("id", "")) if owner else ""
        place = f"unit {name or number}"
        if element.name == "x:segment":
            yield from _segment(file, element, (source, target), place)
        else:
            yield from _trans_unit(file, element, (source, target), place)


def _is_kept(element: Element) -> bool:
    if element.attributes.get("approved") == "yes":
        return True
    at: Element | None = element
    while at is not None:
        says = at.attributes.get("translate")
        if says:
            return says == "no"
        at = at.parent
    return False


def _is_translated(element: Element, target: Element | None) -> bool:
    if target is None or not (target.text().strip() or any(target.elements())):
        return False
    state = target.attributes.get("state", element.attributes.get("state", ""))
    return state not in _UNTRANSLATED or state == ""


Both = tuple[Element, Element | None]


def _trans_unit(file: XmlFile, unit: Element, both: Both, place: str) -> Iterator[Found]:
    source, target = both
    prefix = file.tag_prefix(source)
    end = f"</{prefix}target>"
    if target is None:
        behind = unit.find("x:seg-source") or source
        lead = f'<{prefix}target state="needs-review-translation">'
        yield from _found(file, source, (behind.end, behind.end), (lead, end), place)
        return
    tag = _STATE.sub("", file.raw(target.start, target.inner)).rstrip("/>").rstrip()
    lead = f'{tag} state="needs-review-translation">'
    yield from _found(file, source, (target.start, target.end), (lead, end), place)


def _segment(file: XmlFile, segment: Element, both: Both, place: str) -> Iterator[Found]:
    source, target = both
    prefix = file.tag_prefix(source)
    tag = _STATE.sub("", file.raw(segment.start, segment.inner)).rstrip(">").rstrip()
    behind = target.start if target else source.end
    lead = f'{tag} state="translated">{file.raw(segment.inner, behind)}<{prefix}target>'
    span = (segment.start, target.end if target else source.end)
    yield from _found(file, source, span, (lead, f"</{prefix}target>"), place)


def _found(
    file: XmlFile, source: Element, span: tuple[int, int], around: tuple[str, str], place: str
) -> Iterator[Found]:
    builder = CodedBuilder()
    builder.alone(around[0])
    _add(builder, file, source)
    builder.alone(around[1])
    coded: Coded | None = builder.built()
    if coded:
        yield Found(*span, coded, place, "text")


def _add(builder: CodedBuilder, file: XmlFile, parent: Element) -> None:
    for child in parent.children:
        if isinstance(child, Text):
            builder.text(child.text)
        elif not isinstance(child, Element):
            builder.alone(file.raw(child.start, child.end), kind=CodeKind.BREAK)
        elif child.name in _PAIRS and child.inner < child.end and not _is_protected(child):
            builder.open(file.raw(child.start, child.inner), key="element")
            _add(builder, file, child)
            builder.close(file.raw(child.inner_end, child.end), "element")
        else:
            _add_code(builder, file.raw(child.start, child.end), child)


def _is_protected(code: Element) -> bool:
    # Of version 2, and of 1.2.
    return code.attributes.get("translate") == "no" or code.attributes.get("mtype") == "protected"


def _add_code(builder: CodedBuilder, raw: str, code: Element) -> None:
    attributes = code.attributes
    key = attributes.get("startRef", attributes.get("rid", attributes.get("id", "")))
    if code.name in _BEGINS:
        builder.open(raw, key=f"code {key}")
    elif code.name in _ENDS:
        builder.close(raw, f"code {key}")
    else:
        builder.alone(raw)


def _language(element: Element, options: Options) -> Iterator[Stamp]:
    """Add the target language where the file has none."""
    name = "target-language" if element.name == "x:file" else "trgLang"
    is_there = name in element.attributes
    is_of_version = ("source-language" if element.name == "x:file" else "srcLang") in element.attributes
    if options.target_language and is_of_version and not is_there and element.inner < element.end:
        yield Stamp(element.inner - 1, element.inner - 1, f' {name}="{options.target_language}"')


XLIFF = XliffFilter()
XLIFF2 = XliffFilter()

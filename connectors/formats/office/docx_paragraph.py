"""One paragraph of a Word document: its runs, links, fields, changes and marks. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.formats.office.run_syntax import RunSyntax
from connectors.formats.protocol import CodeKind
from connectors.formats.runs import Alone, Item, Words, Wrapper, coded_runs
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import Element, Text, XmlFile

# What may stand around runs, and is kept around their translation.
_WRAPPERS = frozenset({"w:hyperlink", "w:ins", "w:moveTo", "w:smartTag", "w:customXml", "w:bdo", "w:dir"})
# Marks without any words: they stand between words.
_MARKS = frozenset(
    [
        "w:bookmarkStart",
        "w:bookmarkEnd",
        "w:commentRangeStart",
        "w:commentRangeEnd",
        "w:permStart",
        "w:permEnd",
        "w:moveFromRangeStart",
        "w:moveFromRangeEnd",
        "w:moveToRangeStart",
        "w:moveToRangeEnd",
    ]
)
# What only tells of an earlier state of the text.
_DROPPED = frozenset({"w:pPr", "w:proofErr", "w:lastRenderedPageBreak"})
_BREAKS = frozenset({"w:br", "w:cr", "w:tab", "w:ptab"})
# Fields whose results are words; those of all others are numbers, names or dates that Word makes anew.
_TRANSLATED_FIELDS = frozenset({"HYPERLINK", "TOC", "INDEX", "QUOTE", "COMMENTS", "SUBJECT", "TITLE"})
_FIELD_NAME = re.compile(r"\s*([A-Za-z]+)")
# Properties of a wrapper; they stand before what it holds.
_WRAPPER_PROPERTIES = frozenset({"w:customXmlPr", "w:smartTagPr"})
# Properties that do not change how a run looks.
_UNSEEN = re.compile(r"<\w*:?(?:lang|noProof|rsid\w*)\b[^<>]*/>|\s\w+:rsid\w*=\"[^\"]*\"")
# An element of properties without any.
_NOTHING = re.compile(r"\A(?:<[^<>]*/>|<[^<>]*></[^<>]*>)\Z")


@dataclass
class Fields:
    """The fields that are open, from one paragraph to the next: name, and whether its result has begun."""

    open: list[tuple[str, bool]] = field(default_factory=list)

    def begin(self) -> None:
        """Open a field."""
        self.open.append(("", False))

    def instruct(self, text: str) -> None:
        """Note what the innermost field is."""
        if self.open and not self.open[-1][1]:
            self.open[-1] = (self.open[-1][0] + text, False)

    def separate(self) -> None:
        """Begin the result of the innermost field."""
        if self.open:
            self.open[-1] = (self.open[-1][0], True)

    def end(self) -> None:
        """Close the innermost field."""
        if self.open:
            self.open.pop()

    def are_words(self) -> bool:
        """Tell whether what comes now is text that people wrote."""
        return all(is_result and _is_translated(name) for name, is_result in self.open)


def _is_translated(instruction: str) -> bool:
    name = _FIELD_NAME.match(instruction)
    return name is not None and name[1].upper() in _TRANSLATED_FIELDS


def _is_hidden(properties: Element | None) -> bool:
    hidden = properties.find("w:vanish") if properties else None
    return hidden is not None and hidden.attributes.get("w:val", "1") not in ("0", "false", "off")


class ParagraphReader:
    """Reads a paragraph. `fields` are those that are open where it begins."""

    def __init__(self, file: XmlFile, paragraph: Element, fields: Fields) -> None:
        self._file, self._paragraph, self._fields = file, paragraph, fields
        prefix = file.tag_prefix(paragraph)
        self._syntax = RunSyntax(f"{prefix}r", f"{prefix}t", ' xml:space="preserve"')

    def found(self, part: str, place: str) -> Iterator[Found]:
        """Yield the unit, if there is text."""
        items = self._items(self._paragraph)
        content = [child for child in self._paragraph.elements() if child.name not in _DROPPED]
        coded = coded_runs(items, self._syntax) if content else None
        if coded:
            yield Found(content[0].start, content[-1].end, coded, place, "text", part=part)

    def _items(self, parent: Element) -> list[Item]:
        items: list[Item] = []
        for child in parent.elements():
            items += [] if child.name in _WRAPPER_PROPERTIES else self._read(child)
        return items

    def _read(self, element: Element) -> list[Item]:
        if element.name in _DROPPED:
            return []
        if element.name == "w:r":
            return self._run(element)
        if element.name in _WRAPPERS:
            return [self._wrapper(element, element)]
        if element.name == "w:fldSimple" and _is_translated(element.attributes.get("w:instr", "")):
            return [self._wrapper(element, element)]
        content = element.find("w:sdtContent") if element.name == "w:sdt" else None
        if content:
            return [self._wrapper(element, content)]
        return [self._alone(element, CodeKind.BREAK if element.name in _MARKS else CodeKind.OBJECT)]

    def _wrapper(self, element: Element, content: Element) -> Wrapper:
        inside = next((one.end for one in content.elements() if one.name in _WRAPPER_PROPERTIES), content.inner)
        begin = self._file.raw(element.start, inside)
        end = self._file.raw(content.inner_end, element.end)
        if content.inner == content.end:  # empty, <a/>
            return Wrapper(begin, "", element.start)
        return Wrapper(begin, end, element.start, self._items(content))

    def _alone(self, element: Element, kind: CodeKind = CodeKind.OBJECT) -> Alone:
        return Alone(self._file.raw(element.start, element.end), element.start, kind)

    def _run(self, run: Element) -> list[Item]:
        found = run.find("w:rPr")
        raw = self._file.raw(found.start, found.end) if found else ""
        properties = _NOTHING.sub("", _UNSEEN.sub("", raw))
        shown = (child for child in run.elements() if child.name not in (*_DROPPED, "w:rPr"))
        # Of a hidden run too: a field may begin in it.
        items: list[Item] = [self._in_run(child, properties) for child in shown]
        return [self._alone(run)] if _is_hidden(found) else items

    def _in_run(self, child: Element, properties: str) -> Item:
        if child.name == "w:fldChar":
            self._field(child)
        elif child.name == "w:instrText":
            self._fields.instruct(child.text())
        elif child.name == "w:t" and self._fields.are_words():
            return Words("".join(one.text for one in child.children if isinstance(one, Text)), properties)
        elif child.name == "w:noBreakHyphen" and self._fields.are_words():
            return Words("\u2011", properties)
        is_break = child.name in _BREAKS and self._fields.are_words()
        kind = CodeKind.BREAK if is_break else CodeKind.OBJECT
        return Alone(
            self._file.raw(child.start, child.end), child.start, kind, is_inside=True, properties=properties
        )

    def _field(self, mark: Element) -> None:
        match mark.attributes.get("w:fldCharType"):
            case "begin":
                self._fields.begin()
            case "separate":
                self._fields.separate()
            case "end":
                self._fields.end()

"""One paragraph of an OpenDocument: its spans, links, fields and notes. Pure."""

import re
from collections.abc import Iterator

from connectors.formats.coding import CodedBuilder
from connectors.formats.protocol import CodeKind
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import Element, Text, XmlFile, escaped

_PAIRS = frozenset({"text:a", "text:meta", "text:span"})
_BREAKS = frozenset(
    [
        "text:alphabetical-index-mark",
        "text:bookmark",
        "text:bookmark-end",
        "text:bookmark-start",
        "text:change",
        "text:change-end",
        "text:change-start",
        "text:line-break",
        "text:reference-mark",
        "text:reference-mark-end",
        "text:reference-mark-start",
        "text:soft-page-break",
        "text:tab",
        "text:toc-mark",
    ]
)
_MOST_SPACES = 1000
_SEVERAL = re.compile(r"^ +| {2,}| +$")
_SPACE = re.compile(r"[ \t\r\n]+")


def spaced(prefix: str, text: str) -> str:
    """Write a text: OpenDocument takes several spaces for one, and none at an edge for sure."""
    return _SEVERAL.sub(lambda found: _spaces(prefix, found[0]), escaped(text))


def _spaces(prefix: str, spaces: str) -> str:
    return f'<{prefix}s {prefix}c="{len(spaces)}"/>' if len(spaces) > 1 else f"<{prefix}s/>"


class ParagraphReader:
    """Reads paragraphs. Spans of a style in `unseen` look like what is around them, and are no codes."""

    def __init__(self, file: XmlFile, part: str, unseen: frozenset[str]) -> None:
        self._file, self._part, self._unseen = file, part, unseen

    def found(self, paragraph: Element, place: str, omitted: tuple[int, int] | None = None) -> Iterator[Found]:
        """Yield the unit, if there is text. `omitted` is a span before it that a translation makes untrue."""
        builder = CodedBuilder()
        start = paragraph.inner
        if omitted:
            start, behind = omitted
            builder.alone(self._file.raw(behind, paragraph.inner))
        self._add(builder, paragraph)
        coded = builder.built()
        if coded:
            prefix = self._file.tag_prefix(paragraph)
            yield Found(start, paragraph.inner_end, coded, place, prefix, part=self._part)

    def _add(self, builder: CodedBuilder, parent: Element) -> None:
        for child in parent.children:
            if isinstance(child, Text):
                builder.text(_SPACE.sub(" ", child.text))
            elif isinstance(child, Element) and child.name == "text:s":
                builder.text(" " * min(int(child.attributes.get("text:c", "1")), _MOST_SPACES))
            elif isinstance(child, Element) and child.name in _PAIRS and child.inner < child.end:
                self._pair(builder, child)
            else:
                is_break = not isinstance(child, Element) or child.name in _BREAKS
                kind = CodeKind.BREAK if is_break else CodeKind.OBJECT
                builder.alone(self._file.raw(child.start, child.end), kind=kind, at=child.start)

    def _pair(self, builder: CodedBuilder, element: Element) -> None:
        if element.name == "text:span" and element.attributes.get("text:style-name") in self._unseen:
            self._add(builder, element)
            return
        builder.open(self._file.raw(element.start, element.inner), key="element", at=element.start)
        self._add(builder, element)
        builder.close(self._file.raw(element.inner_end, element.end), "element", element.inner_end)

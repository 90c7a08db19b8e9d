"""One paragraph of an OpenDocument: its spans, links, fields and notes. Pure."""

import re
from collections.abc import Iterator

from connectors.formats.protocol import CodeKind
from connectors.formats.runs import Alone, Item, Words, Wrapper, coded_runs
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import Element, Markup, Text, XmlFile, escaped

_WRAPPERS = frozenset({"text:a", "text:meta"})
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
_EMPTY = re.compile(r"<((?:\w+:)?span)(?:\s[^<>]*[^<>/])?></\1>")
_MOST = 1000
_SEVERAL = re.compile(r"^ +| {2,}| +$")
_SPACE = re.compile(r"[ \t\r\n]+")


def count_of(element: Element, name: str) -> int:
    """Return how often an attribute says that something stands there, once without it; at most 1,000 times."""
    value = element.attributes.get(name, "1")[:9]
    return min(int(value), _MOST) if value.isdecimal() else 1


def tidy(text: str) -> str:
    """Take empty spans out of what was written."""
    return _EMPTY.sub("", text)


def spaced(prefix: str, text: str) -> str:
    """Write a text: OpenDocument takes several spaces for one, and none at an edge for sure."""
    return _SEVERAL.sub(lambda found: _spaces(prefix, found[0]), escaped(text))


def _spaces(prefix: str, spaces: str) -> str:
    return f'<{prefix}s {prefix}c="{len(spaces)}"/>' if len(spaces) > 1 else f"<{prefix}s/>"


class SpanSyntax:
    """A text in spans: its properties are the start tags of all spans around it."""

    def __init__(self, prefix: str) -> None:
        self._end = f"</{prefix}span>"

    def begin(self, properties: str) -> str:
        return properties

    def end(self, properties: str) -> str:
        return self._end * properties.count("<")

    def around(self, properties: str) -> tuple[str, str]:
        return self.begin(properties), self.end(properties)


class ParagraphReader:
    """Reads paragraphs. Spans of a style in `unseen` look like what is around them, and are no codes."""

    def __init__(self, file: XmlFile, part: str, unseen: frozenset[str]) -> None:
        self._file, self._part, self._unseen = file, part, unseen

    def found(self, paragraph: Element, place: str, omitted: tuple[int, int] | None = None) -> Iterator[Found]:
        """Yield the unit, if there is text. `omitted` is a span before it that a translation makes untrue."""
        start, items = paragraph.inner, list(self._items(paragraph, ""))
        if omitted:
            start, behind = omitted
            items.insert(0, Alone(self._file.raw(behind, paragraph.inner), behind))
        prefix = self._file.tag_prefix(paragraph)
        coded = coded_runs(items, SpanSyntax(prefix))
        if coded:
            yield Found(start, paragraph.inner_end, coded, place, prefix, part=self._part)

    def _items(self, parent: Element, look: str) -> Iterator[Item]:
        for child in parent.children:
            if isinstance(child, Text):
                yield Words(_SPACE.sub(" ", child.text), look)
            elif not isinstance(child, Element):
                yield self._alone(child, look, CodeKind.BREAK)
            elif child.name == "text:s":
                yield Words(" " * count_of(child, "text:c"), look)
            elif child.name == "text:span":
                is_seen = child.attributes.get("text:style-name") not in self._unseen
                yield from self._items(child, look + self._file.raw(child.start, child.inner) if is_seen else look)
            elif child.name in _WRAPPERS and child.inner < child.end:
                # Around the spans that it stands in: that looks the same.
                begin, end = self._file.raw(child.start, child.inner), self._file.raw(child.inner_end, child.end)
                yield Wrapper(begin, end, child.start, list(self._items(child, look)))
            else:
                yield self._alone(child, look, CodeKind.BREAK if child.name in _BREAKS else CodeKind.OBJECT)

    def _alone(self, node: Element | Markup, look: str, kind: CodeKind) -> Alone:
        raw = self._file.raw(node.start, node.end)
        return Alone(raw, node.start, kind, is_inside=bool(look), properties=look)

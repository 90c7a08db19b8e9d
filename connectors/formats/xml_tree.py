"""XML as a tree whose elements know where they stand in the bytes: what is needed to splice.

Names have the prefixes that the standards use, whatever the file uses: `w:p`, `a:t`; `?:name` in other namespaces.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from xml.parsers import expat

from connectors.formats.encodings import decoded
from connectors.formats.refusals import malformed

_OOXML = "http://schemas.openxmlformats.org/"
_STRICT = "http://purl.oclc.org/ooxml/"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_PREFIXES = {
    "http://www.w3.org/XML/1998/namespace": "xml:",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc:",
    "http://schemas.openxmlformats.org/package/2006/relationships": "rel:",
    "http://schemas.openxmlformats.org/package/2006/content-types": "ct:",
    "urn:oasis:names:tc:xliff:document:1.1": "x:",
    "urn:oasis:names:tc:xliff:document:1.2": "x:",
    "urn:oasis:names:tc:xliff:document:2.0": "x:",
    "urn:oasis:names:tc:xliff:document:2.2": "x:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://www.idpf.org/2007/opf": "opf:",
    "urn:oasis:names:tc:opendocument:xmlns:container": "container:",
    **{
        f"{root}{name}": prefix
        for name, prefix in {
            "wordprocessingml/2006/main": "w:",
            "drawingml/2006/main": "a:",
            "drawingml/2006/chart": "c:",
            "drawingml/2006/wordprocessingDrawing": "wp:",
            "presentationml/2006/main": "p:",
            "spreadsheetml/2006/main": "s:",
            "officeDocument/2006/relationships": "r:",
            "officeDocument/2006/math": "m:",
        }.items()
        for root, name in ((_OOXML, name), (_STRICT, name.replace("/2006/", "/")))
    },
    **{
        f"{_ODF}{name}:1.0": prefix
        for name, prefix in {
            "office": "office:",
            "text": "text:",
            "table": "table:",
            "drawing": "draw:",
            "svg-compatible": "svg:",
            "presentation": "presentation:",
            "style": "style:",
            "xsl-fo-compatible": "fo:",
            "manifest": "manifest:",
            "chart": "chart:",
        }.items()
    },
}
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.-]+)")
_START_TAG = re.compile(rb"<[^\s/>]+(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_ATTRIBUTE = re.compile(rb"\s([^\s=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
# What XML 1.0 cannot hold.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Text:
    """Characters between two tags, entities resolved. CDATA is text, too."""

    __slots__ = ("end", "start", "text")

    def __init__(self, start: int, text: str) -> None:
        self.start, self.end, self.text = start, start, text


class Element:
    """An element. Offsets in bytes: `start`, `inner` (behind its start tag), `inner_end`, `end`."""

    __slots__ = ("attributes", "children", "end", "inner", "inner_end", "name", "parent", "start")

    def __init__(self, name: str, attributes: dict[str, str], start: int, parent: "Element | None") -> None:
        self.name, self.attributes, self.parent = name, attributes, parent
        self.start = self.inner = self.inner_end = self.end = start
        self.children: list[Element | Text | Markup] = []

    def elements(self) -> "Iterator[Element]":
        """Yield the child elements."""
        return (child for child in self.children if isinstance(child, Element))

    def find(self, name: str) -> "Element | None":
        """Return the first child element of a name."""
        return next((child for child in self.elements() if child.name == name), None)

    def walk(self) -> "Iterator[Element]":
        """Yield this element and all below it, in the order of the file."""
        pending = [self]
        while pending:
            element = pending.pop()
            yield element
            pending.extend(reversed(list(element.elements())))

    def text(self) -> str:
        """Return all characters in it."""
        pieces: list[str] = []
        pending: list[Element | Text | Markup] = [self]
        while pending:
            node = pending.pop()
            if isinstance(node, Text):
                pieces.append(node.text)
            elif isinstance(node, Element):
                pending.extend(reversed(node.children))
        return "".join(pieces)


class Markup:
    """A comment or a processing instruction."""

    __slots__ = ("end", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start


class XmlText:
    """An XML file as UTF-8 (`data`) without its tree, which large ones have no room for."""

    def __init__(self, source: bytes) -> None:
        self._decoded = decoded(source, _declared)
        self.data = self._decoded.text.encode()

    def encoded(self, data: bytes) -> bytes:
        """Write UTF-8 in the file's own encoding; characters that it lacks become references."""
        return self._decoded.encoded(data.decode(), "xmlcharrefreplace")


class XmlFile:
    """An XML file as UTF-8 (`data`, what offsets count), its tree, and how it was encoded."""

    def __init__(self, source: bytes, deepest: int) -> None:
        self._decoded = decoded(source, _declared)
        self.data = source if self._decoded.encoding == "utf-8" and not self._decoded.mark else self._utf8()
        self.root = _Builder(self.data, deepest).root

    def raw(self, start: int, end: int) -> str:
        """Return a span as it is written."""
        return self.data[start:end].decode()

    def encoded(self, data: bytes) -> bytes:
        """Write UTF-8 in the file's own encoding; characters that it lacks become references."""
        if self._decoded.encoding == "utf-8":
            return self._decoded.mark + data
        return self._decoded.encoded(data.decode(), "xmlcharrefreplace")

    def attribute(self, element: Element, name: str) -> tuple[int, int] | None:
        """Return the span of an attribute's value; `name` without a prefix."""
        for found in _ATTRIBUTE.finditer(self.data, element.start, element.inner):
            if found[1].rpartition(b":")[2] == name.encode():
                group = 2 if found[2] is not None else 3
                return found.span(group)
        return None

    def tag_prefix(self, element: Element) -> str:
        """Return the prefix that the file uses for an element, with its colon."""
        tag = re.match(rb"<([^\s/>]+)", self.data[element.start : element.start + 200])
        prefix, colon, _ = (tag[1] if tag else b"").rpartition(b":")
        return (prefix + colon).decode()

    def _utf8(self) -> bytes:
        return self._decoded.text.encode()


def _declared(data: bytes) -> str | None:
    found = _DECLARED.match(data)
    return found[1].decode("ascii") if found else None


class _Builder:
    def __init__(self, data: bytes, deepest: int) -> None:
        self._data, self._deepest = data, deepest
        self._open: list[Element] = []
        self._last: Text | Markup | None = None
        self._root: Element | None = None
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = parser.ProcessingInstructionHandler = self._markup
        parser.StartCdataSectionHandler = self._cdata
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise malformed(f"XML: {expat.ErrorString(error.code)} in line {error.lineno}") from error

    @property
    def root(self) -> Element:
        assert self._root
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._close_last()
        if len(self._open) == self._deepest:
            raise malformed(f"XML: elements are nested more than {self._deepest} deep")
        parent = self._open[-1] if self._open else None
        named = {_short(key): value for key, value in attributes.items()}
        element = Element(_short(name), named, at, parent)
        tag = _START_TAG.match(self._data, at)
        element.inner = element.inner_end = element.end = tag.end() if tag else at
        if parent:
            parent.children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        at = self._close_last()
        element = self._open.pop()
        if self._data[element.inner - 2 : element.inner] != b"/>":
            element.inner_end = at
            element.end = self._data.index(b">", at) + 1

    def _text(self, text: str) -> None:
        if not self._open:
            return
        if isinstance(self._last, Text):
            self._last.text += text
            return
        self._close_last()
        self._last = Text(self._parser.CurrentByteIndex, text)
        self._open[-1].children.append(self._last)

    def _cdata(self) -> None:
        self._text("")

    def _markup(self, *_: str) -> None:
        at = self._close_last()
        if self._open:
            self._last = Markup(at)
            self._open[-1].children.append(self._last)

    def _doctype(self, *_: object) -> None:
        raise malformed("XML: a DOCTYPE is not allowed in this format")

    def _close_last(self) -> int:
        at = self._parser.CurrentByteIndex
        if self._last:
            self._last.end = at
            self._last = None
        return at


@lru_cache(maxsize=4096)
def _short(name: str) -> str:
    uri, space, local = name.rpartition(" ")
    return f"{_PREFIXES.get(uri, '?:')}{local}" if space else local


def escaped(text: str) -> str:
    """Write a text between tags; characters that XML has not become U+FFFD."""
    plain = NOT_XML.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("\r", "&#13;")


def attribute_escaped(text: str) -> str:
    """Write a text inside quotes of either kind."""
    plain = escaped(text).replace('"', "&quot;").replace("'", "&apos;")
    return plain.replace("\n", "&#10;").replace("\t", "&#9;")


XML_ENCODERS = {"text": escaped, "attribute": attribute_escaped}

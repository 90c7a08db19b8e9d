"""EPUB books: the pages in the order of reading, then the table of contents and the title."""

import posixpath
import re
from collections.abc import Iterator
from functools import partial
from html import unescape
from itertools import accumulate
from urllib.parse import unquote

from connectors.formats.coding import Original, coded_of
from connectors.formats.encodings import decoded
from connectors.formats.markup.html import HTML_ENCODERS, declared, texts
from connectors.formats.merging import Encode
from connectors.formats.packages import Package, PackageFilter
from connectors.formats.protocol import Options, Warned
from connectors.formats.refusals import encrypted, malformed
from connectors.formats.splicing import Found, Stamp
from connectors.formats.xml_tree import NOT_XML, XML_ENCODERS, Element, XmlFile

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_ENCRYPTED_TEXT = re.compile(rb"uri\s*=\s*[\"'][^\"'<>]*\.(?:x?html?|xml|opf|ncx)[\"']")
_PAGE, _CONTENTS = "application/xhtml+xml", "application/x-dtbncx+xml"
# Labels of an old table of contents, among what is passed over; prefixes are as they come.
_LABEL = re.compile(
    rb"<!--.*?-->|<(?:[\w.-]+:)?docAuthor\b.*?</(?:[\w.-]+:)?docAuthor\s*>"
    rb"|<((?:[\w.-]+:)?text)(?:\s[^<>]*[^<>/])?>([^<]+)</\1\s*>",
    re.DOTALL,
)
_TITLES = frozenset({"dc:description", "dc:title"})


class PagePart:
    """A page as UTF-8. It may be no sound XML, and has entities that XML does not know."""

    def __init__(self, source: bytes) -> None:
        self._decoded = decoded(source, declared)
        self.text = self._decoded.text
        self.data = self.text.encode()

    def encoded(self, data: bytes) -> bytes:
        """Write UTF-8 in the page's own encoding."""
        return self._decoded.encoded(data.decode(), "xmlcharrefreplace")


def units(package: Package, options: Options, _warnings: list[Warned]) -> Iterator[Found | Stamp]:
    """Find the units of a book."""
    _refuse(package)
    book = _book(package)
    file = package.xml(book)
    items = {
        element.attributes.get("id", ""): element for element in file.root.walk() if element.name == "opf:item"
    }
    spine = [e.attributes.get("idref", "") for e in file.root.walk() if e.name == "opf:itemref"]
    for identifier in dict.fromkeys([*spine, *items]):
        if identifier in items:
            yield from _item(package, book, items[identifier], options)
    yield from _titles(file, book, options)


def _refuse(package: Package) -> None:
    # Fonts that are only disguised are listed here too.
    if _ENCRYPTION in package.names():
        listed = package.read(_ENCRYPTION).lower()
        if _ENCRYPTED_TEXT.search(listed):
            raise encrypted()


def _book(package: Package) -> str:
    for element in package.xml(_CONTAINER).root.walk():
        if element.name == "container:rootfile" and element.attributes.get("full-path") in package.names():
            return element.attributes["full-path"]
    raise malformed("the book has no package document")


def _item(package: Package, book: str, item: Element, options: Options) -> Iterator[Found | Stamp]:
    part = posixpath.normpath(posixpath.join(posixpath.dirname(book), unquote(item.attributes.get("href", ""))))
    if part not in package.names():
        return
    kind = item.attributes.get("media-type", "")
    if kind == _PAGE:
        yield from _page(PagePart(package.read(part)), part, options)
    elif kind == _CONTENTS:
        yield from _labels(PagePart(package.read(part)), part, options)


def _page(page: PagePart, part: str, options: Options) -> Iterator[Found | Stamp]:
    bytes_before = _bytes_before(page.text)
    name = part.rpartition("/")[2]
    for found in texts(page.text, options):
        start, end = bytes_before[found.start], bytes_before[found.end]
        if isinstance(found, Stamp):
            yield found._replace(start=start, end=end, part=part)
            continue
        originals: dict[str, Original] = {
            code: tuple((text, bytes_before[at] if at >= 0 else at) for text, at in original)
            for code, original in found.coded.originals.items()
        }
        coded = found.coded._replace(originals=originals)
        yield found._replace(start=start, end=end, coded=coded, part=part, place=f"{name}, {found.place}")


def _bytes_before(text: str) -> "range | list[int]":
    """Map offsets in a text to offsets in its UTF-8."""
    if text.isascii():
        return range(len(text) + 1)
    return [0, *accumulate(len(character.encode()) for character in text)]


def _labels(page: PagePart, part: str, _options: Options) -> Iterator[Found]:
    """Find the labels of an old table of contents; it may have a DOCTYPE. Its authors have names."""
    for label in _LABEL.finditer(page.data):
        coded = coded_of(unescape(label[2].decode())) if label[1] else None
        if coded:
            yield Found(*label.span(2), coded, "table of contents", "text", part=part)


def _titles(file: XmlFile, book: str, options: Options) -> Iterator[Found | Stamp]:
    for element in file.root.walk():
        coded = coded_of(element.text()) if element.name in _TITLES else None
        if coded and not any(element.elements()):
            yield Found(element.inner, element.inner_end, coded, "title of the book", "text", part=book)
        elif element.name == "dc:language" and options.target_language and element.children:
            yield Stamp(element.inner, element.inner_end, options.target_language, book)


def _for_xml(encode: Encode, text: str) -> str:
    return encode(NOT_XML.sub("\ufffd", text))


_ENCODERS: dict[str, Encode] = {
    **{name: partial(_for_xml, encode) for name, encode in HTML_ENCODERS.items()},
    "text": XML_ENCODERS["text"],
}
EPUB = PackageFilter(
    frozenset({"application/epub+zip"}),
    "3",
    units,
    _ENCODERS.__getitem__,
    open_part=lambda package, part: PagePart(package.read(part)),
)

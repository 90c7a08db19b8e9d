"""What a file is, by its content: magic bytes, what an archive holds, the root of XML; else it is text.

Names and media types choose among text formats only. Pure.
"""

import re
import zipfile
import zlib
from enum import StrEnum
from typing import BinaryIO

from connectors.formats.guessed_encodings import unmarked_utf16
from connectors.formats.refusals import encrypted, macros, malformed, unknown_format

# What the zip library raises for archives that are broken in one way or another.
UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, OSError, EOFError)
_HEAD_BYTES = 8192
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# OLE streams are named in UTF-16; the directory may stand anywhere in the file.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# Other bytes may stand before it, and text may speak of it.
_PDF = re.compile(rb"(?:\A|[\r\n\x00\x80-\xff])%PDF-\d")
# Of XLIFF, not of what else has one there (its:version).
_VERSION_2 = re.compile(rb"(?<![\w:.-])version\s*=\s*[\"']2")
_PROLOG = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<![^>]*>)*", re.DOTALL)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_OFFICE = {
    b"wordprocessingml.document.main": "docx",
    b"wordprocessingml.template.main": "docx",
    b"spreadsheetml.sheet.main": "xlsx",
    b"spreadsheetml.template.main": "xlsx",
    b"presentationml.presentation.main": "pptx",
    b"presentationml.slideshow.main": "pptx",
    b"presentationml.template.main": "pptx",
}
_BY_MIMETYPE = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.text-template": "odt",
    b"application/vnd.oasis.opendocument.presentation-template": "odp",
    b"application/vnd.oasis.opendocument.spreadsheet-template": "ods",
    b"application/epub+zip": "epub",
}
_SMALL_BYTES = 1_000_000


class Kind(StrEnum):
    """What is no format yet: some text, that its name tells more of."""

    TEXT = "text"


def sniffed(source: BinaryIO) -> str:
    """Return the name of the format, or `text`. Reads from the beginning and goes back there.

    Raises PermanentError: `encrypted_document`, `macros_refused`, `malformed_document`, `unknown_format`.
    """
    head = source.read(_HEAD_BYTES)
    source.seek(0)
    found = _by_magic(head, source)
    source.seek(0)
    return found


def _by_magic(head: bytes, source: BinaryIO) -> str:
    if head.startswith(b"PK\x03\x04"):
        return _in_archive(source)
    if _PDF.search(head, 0, 1024):
        return "pdf"
    if head.startswith(_OLE):
        return _in_ole(source)
    if head.startswith(_TEXT_MARKS):
        return _xml_root(head) or Kind.TEXT
    if b"\x00" in head and not unmarked_utf16(head):
        raise unknown_format("the file is binary and of no format that we know", "see docs/formats.md")
    return _xml_root(head) or Kind.TEXT


def _in_ole(source: BinaryIO) -> str:
    if _ENCRYPTED_PACKAGE in source.read(50_000_000):
        raise encrypted()
    raise unknown_format("the file is an old binary Office document (.doc, .xls, .ppt)", ".docx, .xlsx, .pptx")


def _xml_root(head: bytes) -> str | None:
    text = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not text.startswith(b"<"):
        return None
    prolog = _PROLOG.match(text)
    root = _ROOT.match(text, prolog.end() if prolog else 0)
    if root is None:
        return "html" if text[:9].lower() == b"<!doctype" else None
    if root[1] == b"xliff":
        return "xliff2" if _VERSION_2.search(root[2]) else "xliff"
    if root[1].lower() == b"html" or text[:9].lower() == b"<!doctype":
        return "html"
    if text.startswith(b"<?xml"):
        raise unknown_format(
            f"the file is XML of a kind that we do not know ({root[1][:50].decode()})", "XLIFF, XHTML"
        )
    return None


def _in_archive(source: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(source) as archive:
            return _by_members(archive)
    except UNREADABLE as error:
        raise malformed(f"the archive cannot be read: {error}") from error


def _by_members(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if "[Content_Types].xml" in names:
        return _office(_small(archive, "[Content_Types].xml"), names)
    if "mimetype" in names:
        found = _BY_MIMETYPE.get(_small(archive, "mimetype").strip())
        if found:
            return found
    raise unknown_format(
        "the file is an archive and no document that we know", "docx, xlsx, pptx, odt, odp, ods, epub"
    )


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).flag_bits & 1:
        raise encrypted()
    with archive.open(name) as member:
        return member.read(_SMALL_BYTES)


def _office(content_types: bytes, names: set[str]) -> str:
    if b"macroEnabled" in content_types or any(name.endswith("vbaProject.bin") for name in names):
        raise macros()
    for mark, name in _OFFICE.items():
        if mark in content_types:
            return name
    raise unknown_format("the file is an Office package of no kind that we know", "docx, xlsx, pptx")

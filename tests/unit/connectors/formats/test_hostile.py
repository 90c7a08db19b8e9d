"""What strangers send: each with its cause, and in little time."""

import contextlib
import io
import time
import zipfile

import pytest

from connectors.formats.protocol import Limits, Options
from connectors.formats.registry import extract
from schemas.errors import PermanentError
from tests.formats.samples import FOLDER
from tests.unit.connectors.formats.documents import W, package, word

LIMITS = Limits(members=50, unpacked_bytes=5_000_000, ratio=50, ratio_above_bytes=10_000, units=100, depth=100)


def cause(name: str, data: bytes, media_type: str = "") -> str:
    with pytest.raises(PermanentError) as raised:
        extract(io.BytesIO(data), name, media_type, Options(limits=LIMITS))
    assert raised.value.field
    assert raised.value.cure
    return raised.value.cause


def encrypted_member(data: bytes) -> bytes:
    """Set the flag of encryption of every member."""
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(header, at + 1)) >= 0:
            data = data[: at + offset] + bytes([data[at + offset] | 1]) + data[at + offset + 1 :]
    return data


def lying(data: bytes) -> bytes:
    """Let the directory say that each member has one byte."""
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data = data[: at + 24] + b"\x01\x00\x00\x00" + data[at + 28 :]
    return data


BEGINNINGS = {
    "a.html": [
        "<a <",
        "<a b='",
        '<a b="',
        "<!--",
        "<b>",
        "</b>",
        "<p>a",
        "<a b ",
        "<script>",
        "&amp",
        "<a                                                  ",
        "x\n",
    ],
    "a.md": ["[a](", "*a ", "`", "> ", "- ", "|a", "![a", "<a "],
    "a.txt": [" \n", "\r"],
    "a.csv": ['"a",', ","],
    "a.srt": ["1\n00:00:01,000 --> 00:00:02,000\na\n\n", "00:", "<i>{"],
    "a.vtt": ["WEBVTT\n\n00:01.000 --> 00:02.000\n"],
    "a.po": ['msgid "a"\nmsgstr ""\n', '"a"\n'],
    "a.json": ['["a",'],
    "a.yaml": ["- a\n", "'", "&a "],
}
DOCX, OPEN = ((FOLDER / name).read_bytes() for name in ("docx/pandoc.docx", "odt/pandoc.odt"))
PARAGRAPH = "<w:p><w:r><w:t>text</w:t></w:r></w:p>"
ODT, OLE = "application/vnd.oasis.opendocument.text", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DOCTYPE = f'<!DOCTYPE d [<!ENTITY a "b">]><w:document {W}><w:body>{PARAGRAPH}</w:body></w:document>'
MACROS = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="bin" '
MACROS += 'ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>'


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.docx", word(PARAGRAPH, **{"word/a.xml": "x" * 200_000}), "archive_too_large"),  # packs very well
        ("a.docx", word(PARAGRAPH, **{f"word/{n}": "" for n in range(60)}), "archive_too_large"),
        ("a.docx", word(PARAGRAPH, **{"../a": "x"}), "malformed_document"),
        ("a.docx", word(PARAGRAPH, **{"/a": "x"}), "malformed_document"),
        ("a.docx", lying(word(PARAGRAPH)), "malformed_document"),
        ("a.docx", encrypted_member(word(PARAGRAPH)), "encrypted_document"),
        ("a.docx", word(PARAGRAPH, **{"word/document.xml": DOCTYPE}), "malformed_document"),
        ("a.docx", word(PARAGRAPH, **{"word/vbaProject.bin": "x"}), "macros_refused"),
        ("a.docm", package({"[Content_Types].xml": MACROS}), "macros_refused"),
        ("a.docx", word("<w:p/>"), "no_text"),
        ("a.docx", word("<w:p>" * 120 + "</w:p>" * 120), "malformed_document"),
        ("a.docx", word(PARAGRAPH * 150), "document_too_costly"),
        ("a.docx", DOCX[:-30], "malformed_document"),
        ("a.pptx", DOCX, "content_type_mismatch"),
        ("a.txt.zip", package({"a": "b"}), "unknown_format"),
        ("a.odt", package({"mimetype": ODT, "Basic/a": "x"}), "macros_refused"),
        ("a.doc", OLE + b"\x00" * 600, "unknown_format"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted_document"),
        ("a.json", b'{"a": "b"', "malformed_document"),
        ("a.json", b"[" * 100_000, "malformed_document"),
        ("a.yaml", b"a: [b", "malformed_document"),
        ("a.yaml", b"[" * 5_000, "malformed_document"),
        ("a.csv", b'a,"b', "malformed_document"),
        ("a.srt", b"no times here", "malformed_document"),
        ("a.vtt", b"no header", "malformed_document"),
        ("a.po", b"what is this", "malformed_document"),
        ("a.xlf", b'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">', "malformed_document"),
        ("a.pdf", b"%PDF-1.7 nothing", "malformed_document"),
        ("a.svg", b'<?xml version="1.0"?><svg>text</svg>', "unknown_format"),
        ("a.exe", b"text", "unknown_format"),
    ],
)  # fmt: skip
def test_each_has_its_cause(name, data, expected):
    assert cause(name, data) == expected


def test_an_encrypted_opendocument_is_named():
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(OPEN)) as source, zipfile.ZipFile(output, "w") as target:
        for info in source.infolist():
            extra = b"<encryption-data/>" if info.filename.endswith("manifest.xml") else b""
            target.writestr(info, source.read(info) + extra)
    assert cause("a.odt", output.getvalue()) == "encrypted_document"


def test_the_media_type_counts_before_the_name_and_the_content_before_both():
    assert cause("a.json", b"text", "text/vtt") == "malformed_document"
    assert cause("a.txt", OPEN, "application/pdf") == "content_type_mismatch"


@pytest.mark.parametrize(
    ("name", "piece"),
    [(name, piece) for name, pieces in BEGINNINGS.items() for piece in pieces],
)
def test_repeated_beginnings_take_no_time_to_speak_of(name, piece):
    """4 times the text may take 4 times as long; a quadratic filter takes 16 times, however often it is tried."""
    assert any(is_nearly_linear(name, piece) for _ in range(4))


def is_nearly_linear(name: str, piece: str) -> bool:
    short, long = (processor_seconds(name, piece * (size // len(piece))) for size in (1_500, 6_000))
    return long < 0.2 or long < 9 * short


def processor_seconds(name: str, text: str) -> float:
    start = time.process_time()
    with contextlib.suppress(PermanentError):
        extract(io.BytesIO(text.encode()), name, "", Options())
    return time.process_time() - start

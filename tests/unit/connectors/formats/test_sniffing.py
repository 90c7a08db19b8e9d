"""What a file is taken for, whatever it is named."""

import io

import pytest

from connectors.formats.protocol import Options
from connectors.formats.registry import extract, format_of
from schemas.errors import PermanentError
from tests.formats.samples import samples
from tests.unit.connectors.formats.documents import texts

ITS = 'xmlns:its="http://www.w3.org/2005/11/its" its:version="2.0"'
BODY = '<file source-language="en"><body><trans-unit id="1"><source>a b</source></trans-unit></body></file>'
XLIFF = f'<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" {ITS} version="1.2">{BODY}</xliff>'.encode()


def test_a_text_may_speak_of_pdf():
    assert texts("a.md", b"The header is `%PDF-1.7`.\n") == ["The header is [0]."]


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\x00", b"\xef\xbb\xbf"])
def test_a_pdf_may_have_other_bytes_before_it(before):
    assert format_of(io.BytesIO(before + b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "a.pdf").name == "pdf"


@pytest.mark.parametrize("media_type", ["", "application/xliff+xml", "application/x-xliff+xml; charset=utf-8"])
def test_xliff_is_of_its_own_version_by_either_media_type(media_type):
    assert format_of(io.BytesIO(XLIFF), "a.xlf", media_type).name == "xliff"
    second = b'<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en"/>'
    assert format_of(io.BytesIO(second), "a.xlf", media_type).name == "xliff2"


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("application/vnd.oasis.opendocument.text-template", "odt"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.template", "docx"),
        ("application/vnd.ms-excel", "csv"),
        ("application/csv", "csv"),
        ("text/json", "json"),
    ],
)
def test_templates_and_tables_may_be_sent_as_what_systems_call_them(media_type, expected):
    data = next((sample.data for sample in samples() if sample.format == expected), b"")
    assert format_of(io.BytesIO(data), "", media_type).name == expected


@pytest.mark.parametrize("name", ["A.HTM", "a.Html", "b.XHTML"])
def test_endings_may_be_in_capitals(name):
    assert texts(name, b"<p>a b</p>") == ["a b"]


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.md", "a.yaml", "a.html"])
def test_a_file_of_nothing_has_no_text(name, data):
    with pytest.raises(PermanentError) as raised:
        extract(io.BytesIO(data), name, "", Options("en", "pt"))
    assert raised.value.cause == "no_text"


@pytest.mark.parametrize("name", ["a.docx", "a.epub", "a.odt", "a.pdf", "a.xlf"])
def test_a_file_of_nothing_is_no_document(name):
    with pytest.raises(PermanentError) as raised:
        extract(io.BytesIO(b""), name, "", Options("en", "pt"))
    assert raised.value.cause == "content_type_mismatch"

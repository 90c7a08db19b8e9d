"""The rules of books."""

import io
import zipfile
from xml.etree import ElementTree as ET

import pytest

from schemas.errors import PermanentError
from tests.unit.connectors.formats.documents import package, texts, translated

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="O/book.opf"/></rootfiles></container>'
)
OPF = (
    '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>My book</dc:title><dc:creator>Jane Doe</dc:creator><dc:language>en</dc:language></metadata>"
    '<manifest><item id="p" href="{href}" media-type="application/xhtml+xml"/>'
    '<item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>'
    '<spine toc="n"><itemref idref="p"/></spine></package>'
)
PAGE = (
    '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head>{head}</head>'
    "<body>{body}</body></html>"
)


def book(body: str = "<p>Hello</p>", head: str = "", name: str = "p.xhtml", **parts: str) -> bytes:
    page = PAGE.format(head=head, body=body)
    others = {"META-INF/container.xml": CONTAINER, "O/book.opf": OPF.format(href=name), f"O/{name}": page}
    return package({"mimetype": "application/epub+zip", **others, **parts})


def part(data: bytes, name: str) -> bytes:
    return zipfile.ZipFile(io.BytesIO(data)).read(name)


def test_scripts_and_styles_without_content_do_not_swallow_the_page():
    data = book(
        head='<title>T x</title><script src="a.js"/><style/>', body="<p>One</p><script>var a</script><p>Two</p>"
    )
    assert texts("a.epub", data) == ["T x", "One", "Two", "My book"]


def test_formulas_and_pictures_with_prefixes_are_codes():
    assert (
        texts(
            "a.epub",
            book("<p>Let <m:math><m:mi>abc</m:mi></m:math> be <svg:svg><svg:text>x y</svg:text></svg:svg> so</p>"),
        )[0]
        == "Let [0] be [1] so"
    )


@pytest.mark.parametrize("prefix", ["", "ncx:"])
def test_the_old_table_of_contents_may_have_prefixes_and_has_names_of_authors(prefix):
    head = '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "x"><?x?><ncx><!-- <text>old</text> -->'
    labels = "<docTitle><text>My book</text></docTitle><docAuthor><text>Jane Doe</text></docAuthor>"
    point = '<navLabel><text class="x">\n Salt &amp; pepper\n</text></navLabel><text/><content src="p.xhtml"/>'
    contents = (head + labels + point + "</ncx>").replace("<", f"<{prefix}").replace(f"<{prefix}/", f"</{prefix}")
    contents = contents.replace(f"<{prefix}!", "<!").replace(f"<{prefix}?", "<?")
    data = book(**{"O/toc.ncx": contents})
    assert texts("a.epub", data) == ["Hello", "My book", "Salt & pepper", "My book"]
    written = part(translated("a.epub", data), "O/toc.ncx").decode()
    expected = contents.replace("text>My book", "text>MY BOOK").replace("Salt &amp; pepper", "SALT &amp; PEPPER")
    assert written == expected


def test_control_characters_in_attributes_leave_a_page_well_formed():
    data = book('<p title="Hey">Hello</p>')
    written = part(translated("a.epub", data, "a\x0b", "b\x1b", "c"), "O/p.xhtml")
    assert [one.get("title") for one in ET.fromstring(written).iter() if one.tag.endswith("}p")] == ["a\ufffd"]


def test_names_in_utf_8_that_do_not_say_so_are_read():
    data = bytearray(book(name="né.xhtml"))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + flags + 1] &= 0xF7
            at = data.find(mark, at + 1)
    assert texts("a.epub", bytes(data)) == ["Hello", "My book"]
    assert b"HELLO" in part(translated("a.epub", bytes(data)), "O/né.xhtml")


def listed(uri: str) -> str:
    return (
        '<encryption><EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding.html"/>'
        f'<CipherReference URI="{uri}"/></encryption>'
    )


def test_disguised_fonts_are_no_encryption():
    assert texts("a.epub", book(**{"META-INF/encryption.xml": listed("O/my.html.otf")}))[0] == "Hello"


@pytest.mark.parametrize("name", ["O/p.xhtml", "O/p.HTM", "O/p.xml", "O/toc.ncx"])
def test_encrypted_pages_are_refused(name):
    with pytest.raises(PermanentError) as raised:
        texts("a.epub", book(**{"META-INF/encryption.xml": listed(name)}))
    assert raised.value.cause == "encrypted_document"


def test_a_book_that_is_written_begins_with_its_type_uncompressed():
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as made, zipfile.ZipFile(io.BytesIO(book())) as old:
        for name in old.namelist():
            made.writestr(name, old.read(name), zipfile.ZIP_STORED if name == "mimetype" else None)
        made.writestr("O/folder/", b"")
    written = translated("a.epub", source.getvalue())
    assert written[30:58] == b"mimetypeapplication/epub+zip"
    assert zipfile.ZipFile(io.BytesIO(written)).testzip() is None

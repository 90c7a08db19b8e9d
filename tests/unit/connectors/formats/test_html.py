"""The rules of HTML: what its standard says where browsers and a simple reading differ."""

import pytest

from tests.unit.connectors.formats.documents import translated


@pytest.mark.parametrize(
    ("charset", "expected"),
    [
        ("iso-8859-1", b"\xe9 &#28450;"),
        ("us-ascii", b"&#233; &#28450;"),
        ("UTF-8", "é 漢".encode()),
        ("utf-16", "é 漢".encode()),
        ("no-such", "é 漢".encode()),
    ],
)
def test_a_page_of_ascii_is_written_in_the_encoding_that_it_declares(charset, expected):
    page = f'<meta charset="{charset}"><p>one'.encode()
    assert translated("a.html", page, "é 漢") == page.replace(b"one", expected)


def test_an_xliff_file_of_ascii_is_written_in_the_encoding_that_it_declares():
    source = (
        b'<?xml version="1.0" encoding="ISO-8859-1"?><xliff version="1.2" '
        b'xmlns="urn:oasis:names:tc:xliff:document:1.2"><file source-language="en"><body>'
        b'<trans-unit id="1"><source>one</source></trans-unit></body></file></xliff>'
    )
    assert b">\xe9 &#28450;</target>" in translated("a.xlf", source, "é 漢")

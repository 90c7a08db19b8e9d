import io

import pytest

from connectors.formats.protocol import Options
from connectors.formats.registry import extract, filter_of
from schemas.errors import PermanentError


def extracted(data: bytes, name: str = "a.txt", media_type: str = "text/plain"):
    return extract(io.BytesIO(data), name, media_type, Options()).extraction


def merged(data: bytes, units: list[str], skeleton: bytes) -> bytes:
    output = io.BytesIO()
    filter_of("txt").merge(io.BytesIO(data), skeleton, units, output, Options())
    return output.getvalue()


def test_blocks_between_blank_lines_are_units_with_their_line():
    found = extracted(b"One\ntwo.\r\n\r\n  \nThree.\n")
    assert [(unit.text, unit.place) for unit in found.units] == [("One\ntwo.", "line 1"), ("Three.", "line 5")]


def test_what_stands_between_blocks_stays():
    data = "\ufeffHéllo.\r\n \t\r\n\r\nBye.".encode()
    found = extracted(data)
    assert merged(data, ["Olá.", "Tchau."], found.skeleton) == "\ufeffOlá.\r\n \t\r\n\r\nTchau.".encode()


def test_a_translation_that_the_encoding_lacks_makes_the_file_utf_8():
    data = "Grüße aus Köln, schöne Grüße an alle Mitglieder für das nächste Jahr.".encode("cp1252")
    found = extracted(data)
    assert merged(data, ["नमस्ते"], found.skeleton) == "नमस्ते".encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-8"])
def test_a_file_with_nothing_translated_is_the_file(encoding):
    data = "Grüße aus Köln.\r\n\r\nSchöne Grüße an alle Mitglieder für das nächste Jahr.".encode(encoding)
    found = extracted(data)
    assert merged(data, [unit.text for unit in found.units], found.skeleton) == data


@pytest.mark.parametrize(
    ("data", "name", "media_type", "cause"),
    [
        (b"", "a.txt", "text/plain", "no_text"),
        (b" \n\t", "a.txt", "text/plain", "no_text"),
        (b"\x00\x01\x02binary", "a.txt", "text/plain", "unknown_format"),
        (b"text", "a.txt", "image/png", "unknown_format"),
        (b"\xff\xfea", "a.txt", "text/plain", "unknown_encoding"),
        (b"PK\x03\x04" + b"x" * 50, "a.txt", "text/plain", "malformed_document"),
    ],
)
def test_bad_files_are_named(data, name, media_type, cause):
    with pytest.raises(PermanentError) as raised:
        extracted(data, name, media_type)
    assert (raised.value.cause, bool(raised.value.cure)) == (cause, True)


def test_a_separator_of_units_in_the_text_becomes_a_code_and_comes_back():
    data = b"one\x1etwo"
    found = extracted(data)
    assert "\x1e" not in found.units[0].text
    assert merged(data, [found.units[0].text.upper()], found.skeleton) == b"ONE\x1eTWO"


def test_lost_codes_are_refused_with_their_place():
    data = b"one\x1etwo"
    found = extracted(data)
    with pytest.raises(PermanentError, match="missing_code at line 1"):
        merged(data, ["onetwo"], found.skeleton)


def test_a_form_feed_ends_a_block_and_stays():
    data = b"one\ntwo\n\x0cthree\x0cfour\r\n\x0c\r\nfive"
    found = extracted(data)
    assert [(unit.text, unit.place) for unit in found.units] == [
        ("one\ntwo", "line 1"), ("three", "line 3"), ("four", "line 3"), ("five", "line 5"),
    ]  # fmt: skip
    assert merged(data, [unit.text.upper() for unit in found.units], found.skeleton) == data.upper()

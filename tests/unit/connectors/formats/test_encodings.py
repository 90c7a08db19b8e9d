"""Which encoding a file is read in, and what its translation is written in."""

import io

import pytest

from connectors.formats.protocol import Options
from connectors.formats.registry import extract
from schemas.errors import PermanentError
from tests.unit.connectors.formats.documents import texts, translated

JAPANESE = "これはテストです。今日はいい天気ですね。"


def read(data: bytes, language: str = "") -> list[str]:
    found = extract(io.BytesIO(data), "a.txt", "", Options(language, "pt"))
    return [unit.text for unit in found.extraction.units]


def test_a_translation_of_ascii_is_written_in_the_encoding_that_the_file_declares():
    page = b'<meta charset="iso-8859-1"><p>Hello</p>'
    assert translated("a.html", page, "olá 中") == b'<meta charset="iso-8859-1"><p>ol\xe1 &#20013;</p>'
    body = b'<file source-language="en"><body><trans-unit id="1"><source>a</source></trans-unit></body></file>'
    head = b'<?xml version="1.0" encoding="ISO-8859-1"?><xliff version="1.2" '
    xliff = head + b'xmlns="urn:oasis:names:tc:xliff:document:1.2">' + body + b"</xliff>"
    assert ">olá</target>".encode("latin-1") in translated("a.xlf", xliff, "olá")


@pytest.mark.parametrize("declared", ["utf-8", "UTF8", "utf-16", "nonsense", "unicode_escape"])
def test_a_declared_encoding_that_cannot_be_meant_is_utf_8(declared):
    page = f'<meta charset="{declared}"><p>'.encode()
    assert translated("a.html", page + b"Hello", "olá") == page + "olá".encode()


def test_latin_1_has_the_quotes_of_windows_as_in_browsers():
    page = b'<meta charset="iso-8859-1"><p>\x93Hello\x94'
    assert texts("a.html", page) == ["“Hello”"]
    assert translated("a.html", page, "“Olá”") == page.replace(b"Hello", b"Ol\xe1")


@pytest.mark.parametrize("declared", ["Shift_JIS", "x-sjis", "windows-31j"])
def test_shift_jis_has_the_characters_of_windows(declared):
    page = f'<meta charset="{declared}"><p>① 髙い'.encode("cp932")
    assert texts("a.html", page) == ["① 髙い"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["Hello you.", "Привет, как дела?", JAPANESE + "\n一", "Smile 😀 " * 2000])
def test_utf_16_without_a_byte_order_mark_is_read_and_written(encoding, text):
    data = text.encode(encoding)
    assert read(data) == [text.strip()]
    assert translated("a.txt", data, "olá").strip(b" \0") == "olá".encode(encoding).strip(b"\0")


@pytest.mark.parametrize(
    "data", [b"a\x00\x00\x00b\x00\x00\x00", b"\x00\x01\x02\x03", b"MZ\x00\x00\x01a" * 9, b"a\x00b"]
)
def test_binary_files_are_no_utf_16(data):
    with pytest.raises(PermanentError, match="binary"):
        read(data)


@pytest.mark.parametrize(
    ("text", "encoding", "language"),
    [
        ("Café au lait", "cp1252", ""),
        ("Müller", "cp1252", ""),
        ("L’été a été très chaud à Paris.", "cp1252", ""),
        ("Wszystko w porządku, dziękuję.", "cp1250", ""),
        ("Wszystko w porządku, dziękuję.", "cp1250", "pl-PL"),
        ("Bugün hava çok güzel, değil mi? İstanbul şehri.", "cp1254", "tr"),
        ("Labas rytas, kaip sekasi? Ačiū, viskas gerai.", "cp1257", "lt"),
        ("Привет", "cp1251", "ru"),
        ("Привет, как дела? Сегодня хорошая погода.", "koi8-r", "ru"),
        ("שלום עולם, מה שלומך היום?", "cp1255", "he"),
        ("日本語", "cp932", ""),
        ("你好", "gb18030", "zh"),
        (JAPANESE, "euc_jp", "ja"),
    ],
)
def test_the_encoding_of_short_texts_is_the_usual_one_of_their_language(text, encoding, language):
    assert read(text.encode(encoding), language) == [text]


def test_a_long_text_is_not_cut_amid_a_character_to_guess_its_encoding():
    assert read(("a" + f"{JAPANESE}\n\n" * 3000).encode("cp932"))[1:] == [JAPANESE] * 2999


def test_the_first_foreign_letter_may_stand_far_down():
    text = "Plain words.\n" * 10_000 + "Café"
    assert read(text.encode("cp1252")) == [text]

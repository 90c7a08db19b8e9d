"""The rules of gettext catalogues: what gettext reads, and what it reads of what was written."""

import polib
import pytest

from schemas.errors import PermanentError
from tests.unit.connectors.formats.documents import texts, translated

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def catalogue(entries: str, newline: str = "\n") -> bytes:
    return (HEADER + entries).replace("\n", newline).encode()


@pytest.mark.parametrize(
    "entry",
    [
        'msgid"one x"\nmsgstr""\n',
        '  msgid "one x"\n\tmsgstr ""\n',
        'domain "app"\nmsgid "one x"\nmsgstr ""\n',
        'msgid\n"one x"\nmsgstr\n""\n',
        'msgid "one" " x"\nmsgstr ""\n',
        'msgid "one x" # why\nmsgstr ""\n',
        'msgid "one x" msgstr ""\n',
    ],
)
def test_keywords_stand_where_gettext_lets_them(entry):
    source = catalogue(entry)
    assert texts("a.po", source) == ["one x"]
    expected = source.decode().removesuffix('""\n') + '"ONE X"\n'
    assert translated("a.po", source, fuzzy="no").decode() == expected


def test_an_entry_ends_where_the_next_one_begins_however_that_is_written():
    source = catalogue('msgid "one"\nmsgstr ""\n  msgid "two"\nmsgstr ""\nmsgid"three"\nmsgstr""\n')
    assert texts("a.po", source) == ["one", "two", "three"]


def test_the_index_of_a_plural_form_may_have_spaces():
    source = catalogue(
        'msgid "one"\nmsgid_plural "some"\nmsgstr [0] ""\nmsgstr[ 1 ] "" msgstr[2] ""\nmsgstr[3] ""\n'
    )
    written = translated("a.po", source, "x", "y", target="de").decode()
    assert 'msgstr [0] "x"\nmsgstr[ 1 ] "y"\n' in written
    assert [
        entry.msgstr_plural for entry in polib.pofile(written.replace("[ 1 ]", "[1]").replace(" [0]", "[0]"))
    ] == [{0: "x", 1: "y"}]


@pytest.mark.parametrize(
    "line", ['"text"', 'msgidx "text"', 'msgid "text" more', 'msgid [0] "text"', 'msgid "text']
)
def test_lines_of_no_catalogue_are_refused(line):
    with pytest.raises(PermanentError, match="line 4 is no line of a gettext catalogue"):
        texts("a.po", catalogue(f'{line}\nmsgstr ""\n'))


@pytest.mark.parametrize(
    ("charset", "written"),
    [
        ("UTF-8", "caf\\303\\251 au lait"),
        ("UTF-8", "caf\\xc3\\xa9 au lait"),
        ("ISO-8859-1", "caf\\351 au lait"),
        ("CHARSET", "caf\\303\\251 au lait"),
    ],
)
def test_numbers_in_strings_are_bytes_of_the_charset(charset, written):
    source = catalogue(f'msgid "{written}"\nmsgstr ""\n').replace(b"UTF-8", charset.encode())
    assert texts("a.po", source) == ["café au lait"]


def test_bytes_that_the_charset_has_not_are_read_one_by_one():
    assert texts("a.po", catalogue('msgid "a \\377 b"\nmsgstr ""\n')) == ["a ÿ b"]


def test_catalogues_with_returns_get_no_other_line_ends():
    source = catalogue('msgid ""\n"one\\n"\n"two"\nmsgstr ""\n', "\r\n")
    written = translated("a.po", source)
    assert written.count(b"\n") == written.count(b"\r\n")
    assert polib.pofile(written.decode())[0].msgstr == "ONE\nTWO"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("#, c-format", "#, fuzzy, c-format"),
        ("#, c-format, fuzzy", "#, c-format, fuzzy"),
        ("#, no-fuzzy-format", "#, fuzzy, no-fuzzy-format"),
        ("#, fuzzy\n#, c-format", "#, fuzzy\n#, c-format"),
    ],
)
def test_new_messages_are_fuzzy_once(flags, expected):
    written = translated("a.po", catalogue(f'{flags}\nmsgid "one"\nmsgstr ""\n')).decode()
    assert written == HEADER + f'{expected}\nmsgid "one"\nmsgstr "ONE"\n'


def test_flags_of_an_obsolete_entry_are_not_those_of_the_next_one():
    source = catalogue('#, fuzzy\n#~ msgid "old"\n#~ msgstr "alt"\nmsgid "one"\nmsgstr ""\n')
    assert translated("a.po", source).endswith(b'#~ msgstr "alt"\n#, fuzzy\nmsgid "one"\nmsgstr "ONE"\n')


def test_a_header_on_one_line_names_the_language_too():
    source = b'msgid ""\nmsgstr "Language: \\nMIME-Version: 1.0\\n"\n\nmsgid "one"\nmsgstr ""\n'
    assert b'"Language: pt_BR\\nMIME' in translated("a.po", source)


@pytest.mark.parametrize(
    ("charset", "word", "expected"),
    [
        ("ISO-8859-1", "é", ("ISO-8859-1", b'"\xe9"')),
        ("ISO-8859-1", "漢", ("UTF-8", '"漢"'.encode())),
        ("US-ASCII", "é", ("UTF-8", '"é"'.encode())),
        ("CHARSET", "é", ("UTF-8", '"é"'.encode())),
        ("UTF-8", "é", ("UTF-8", '"é"'.encode())),
    ],
)
def test_the_charset_is_that_of_the_translations(charset, word, expected):
    source = catalogue('msgid "one"\nmsgstr ""\n').replace(b"UTF-8", charset.encode())
    written = translated("a.po", source, word)
    assert f"charset={expected[0]}\\n".encode() in written
    assert written.endswith(b"msgstr " + expected[1] + b"\n")


def test_a_template_that_names_no_charset_and_is_no_ascii_has_its_encoding_guessed():
    text = 'msgid ""\nmsgstr ""\n\n# Größe über älteren Geräten, schön\nmsgid "Größe"\nmsgstr ""\n'
    assert texts("a.pot", text.encode("cp1252")) == ["Größe"]

"""gettext catalogues: what is not translated is filled in, with the plural forms of the target language."""

import pytest

from stream_apps.pipeline.segmentation import Segmenter
from tests.unit.stream_apps.test_pipeline_icu import batch_of, translated

CATALOGUE = """\
# A comment.
msgid ""
msgstr ""
"Language: pl\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

#: src/main.c:12
msgctxt "menu"
msgid "Open \\"file\\"\\n"
msgstr ""

#, c-format
msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

msgid "Done"
msgstr "Gotowe"

msgid ""
"First line.\\n"
"\\n"
"Second line, 100 %."
msgstr ""
"""
POLISH = {
    'Open "file"': 'Otwórz "plik"',
    "1 file": "1 plik",
    "3 files": "3 pliki",
    "5 files": "5 plików",
    "First line.": "Pierwszy.",
    "Second line, 100 %.": "Drugi, 100 %.",
}


def test_entries_without_a_translation_are_filled_and_all_else_stays():
    assert batch_of(CATALOGUE, "pl").texts == list(POLISH)
    found = translated(CATALOGUE, "pl", POLISH.get)
    assert found == (
        CATALOGUE.replace('file\\"\\n"\nmsgstr ""', 'file\\"\\n"\nmsgstr "Otwórz \\"plik\\"\\n"')
        .replace('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "%d plik"\nmsgstr[1] "%d pliki"\nmsgstr[2] "%d plików"')
        .replace('100 %."\nmsgstr ""', '100 %."\nmsgstr "Pierwszy.\\n\\nDrugi, 100 %."')
    )


@pytest.mark.parametrize(
    ("target", "forms"),
    [
        ("pt-BR", ["1 file", "5 files"]),
        ("ja", ["5 files"]),
        ("ru", ["1 file", "3 files", "5 files"]),
        ("qq", None),
    ],
)
def test_without_a_header_the_target_language_says_how_many_forms_there_are(target, forms):
    entry = 'msgid "%d file"\r\nmsgid_plural "%d files"\r\nmsgstr[0] ""\r\nmsgstr[1] ""\r\n'
    assert batch_of(entry, target).texts == (forms or ["1 file", "5 files"])
    assert translated(entry, target).count("\r\n") == 2 + len(forms or "12")
    assert set(translated(entry, target).replace("files", "file").split("%d file")) >= {'"\r\nmsgid_plural "'}


def test_a_form_that_lost_its_number_shows_its_source():
    entry = 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    assert 'msgstr[0] "%d file"\n' in translated(entry, "pt", lambda text: text.replace("1 ", "um "))


@pytest.mark.parametrize(
    "text",
    ['msgid "a\nmsgstr ""\n', 'msgid "a"\n', 'msgid "Some text"\nNo entry at all.\n', 'msgid "\\x"\nmsgstr ""\n'],
)
def test_what_is_no_catalogue_comes_back_unchanged_and_marked(text):
    split = Segmenter().split(text, "en", "pl")
    assert (split.texts, split.joined()) == ((), text)
    assert [one.cause for one in split.marks] == ["unparsable_message"]


def test_prose_about_catalogues_is_prose():
    assert Segmenter().split('Write this:\nmsgid "Open"\nmsgstr ""\n', "en", "pl").message_forms == ()


@pytest.mark.parametrize("rule", ["n/0", "((((", "n**9", "__import__('os')", "nplurals"])
def test_a_header_whose_rule_cannot_be_read_counts_for_nothing(rule):
    header = f'msgid ""\nmsgstr "Plural-Forms: nplurals=99; plural={rule};\\n"\n\n'
    entry = 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\n'
    assert batch_of(header + entry, "pl").texts == ["1 file", "3 files", "5 files"]


@pytest.mark.parametrize("separator", ["\u2028", "\x0b", "\x85", "\x1c", "\x0c"])
def test_only_returns_and_newlines_end_a_line(separator):
    entry = f'# one{separator}two\nmsgid "Open the{separator}file"\nmsgstr ""\n'
    split = Segmenter().split(entry, "en", "pl")
    assert split.texts == (f"Open the{separator}file",)
    assert split.lead + split.gaps[0] == entry


@pytest.mark.parametrize(
    "entry",
    [
        'msgid"Open it"\nmsgstr ""\n',
        '  msgid "Open it"\nmsgstr ""\n',
        'msgid\n"Open it"\nmsgstr ""\n',
        'domain "app"\nmsgid "Open it"\nmsgstr ""\n',
    ],
)
def test_keywords_stand_where_gettext_lets_them(entry):
    split = Segmenter().split(entry, "en", "pl")
    assert split.texts == ("Open it",)
    assert split.lead + split.gaps[0] == entry


def test_numbers_in_strings_are_bytes_of_utf_8_and_other_escapes_are_those_of_c():
    split = Segmenter().split('msgid "caf\\303\\251 \\u00e9"\nmsgstr ""\n', "en", "pl")
    assert split.texts == ("café \\u00e9",)


def test_prose_that_begins_with_a_keyword_is_prose():
    assert Segmenter().split("msgid\nis what gettext calls a message.\n", "en", "pl").message_forms == ()

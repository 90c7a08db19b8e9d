"""Words are counted as people are billed for them."""

import pytest

from schemas.segments import count_words, normalise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("  \n ", 0),
        ("one  two\nthree", 3),
        ("Olá, amigo — tudo bem?", 5),
        ("家は大きい", 5),
        ("Tokyo 東京 tower", 4),
        ("ภาษาไทย", 7),
        ("don't e-mail", 2),
    ],
)
def test_words_are_counted_by_spaces_and_unspaced_scripts_by_characters(text, words):
    assert count_words(text) == words


@pytest.mark.parametrize("text", ["a\x1fb", "a \x1e\x1c b", "\x1da"])
def test_separators_of_data_are_no_white_space(text):
    assert normalise(f"  {text}\u00a0\n") == text


def test_white_space_around_separators_of_data_is_one_space():
    assert normalise("a \t\n b\x1f \u2003 c") == "a b\x1f c"


@pytest.mark.parametrize(
    ("wrapped", "line"),
    [
        ("one\ntwo", "one two"),
        ("one\r\n  two\rthree", "one two three"),
        ("one\n> two\n> > three", "one two three"),
        ("one\n>= two\n>three", "one >= two >three"),
        ("这是一\n个句子", "这是一个句子"),
        ("これ\n  は", "これは"),
        ("한국\n어", "한국 어"),
    ],
)
def test_a_segment_is_known_by_its_words_however_it_was_wrapped(wrapped, line):
    assert normalise(wrapped) == line
    assert count_words(wrapped) == count_words(line)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("25\u00a0€ each", "25\u00a0€ each"),
        ("10\u202f000\u00a0km", "10\u202f000\u00a0km"),
        ("§\u00a03 of it", "§\u00a03 of it"),
        ("Mr.\u00a0Smith", "Mr. Smith"),
        ("25 \u00a0 € each\u00a0", "25 € each"),
    ],
)
def test_a_no_break_space_beside_a_digit_stays(text, normal):
    assert normalise(text) == normal
    assert normalise(normal) == normal

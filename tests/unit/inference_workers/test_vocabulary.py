"""Letters that a model's vocabulary lacks."""

import re

import pytest

from inference_workers.engines.vocabulary import unknown_letters

PORTUGUESE = "ÁÉàáâãçéêíóôõú"


@pytest.mark.parametrize(
    ("letter", "written"),
    [("Ó", "ó"), ("ü", "u"), ("Ü", "U"), ("ñ", "n"), ("ß", "ss"), ("æ", "ae"), ("Ø", "O"), ("ł", "l"), ("ﬁ", "fi"),
     ("þ", "th"), ("Œ", "Oe"), ("ǆ", "dz"), ("ế", "e")],
)  # fmt: skip
def test_an_unknown_letter_is_written_as_one_that_the_model_knows(letter, written):
    assert unknown_letters(PORTUGUESE).spellings[letter] == written


def test_letters_that_the_model_knows_stay_as_they_are():
    assert not set(PORTUGUESE) & set(unknown_letters(PORTUGUESE).spellings)


@pytest.mark.parametrize(
    ("word", "is_name"),
    [("Müller", True), ("Über", True), ("naïve", False), ("São", False), ("Ótimo", False), ("Plain", False),
     ("Ångström", True), ("Ortiz-Muñoz", True)],
)  # fmt: skip
def test_a_capitalised_word_with_an_unknown_letter_is_a_name(word, is_name):
    assert (re.fullmatch(unknown_letters(PORTUGUESE).names, word) is not None) is is_name


def test_a_model_that_knows_all_letters_needs_no_help():
    everything = {chr(one) for one in range(0x1F00)} | set("ﬀﬁﬂﬃﬄﬅﬆ")
    assert unknown_letters(everything) == ("", {})

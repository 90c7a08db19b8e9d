"""Where a text that is too long is cut, and how its halves come together again."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_workers.fidelity.clauses import cut_in_two, joined, width
from inference_workers.fidelity.masking import Masker
from inference_workers.fidelity.parts import Parts

MASKER = Masker(None)


def cut(text):
    return cut_in_two(text, MASKER.take_apart(text))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Long words here and there; some other words, and the last of them.", "Long words here and there;"),
        ("Some long words are here, and there are others too.", "Some long words are here,"),
        ("no comma at all in this text", "no comma at all"),
        ("Far, too far to the left is the only comma of this text", "Far, too far to the left is"),
        ("他昨天去了北京，今天又回来了。", "他昨天去了北京，"),
        ("漢字漢字漢字漢字", "漢字漢字"),
        ('He said: "it is done." Then he went away.', 'He said: "it is done."'),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifff"),
    ],
)
def test_the_best_border_near_the_middle_is_taken(text, first):
    halves = cut(text)
    assert halves is not None
    assert halves.first == first


@given(st.text("ab ,.;，。漢é\u0301\u200d👩 {}x", max_size=80))
def test_no_character_is_lost_and_both_halves_hold_something(text):
    halves = cut(text)
    if halves is None:
        assert MASKER.take_apart(text).hidden or not re.search(r"[ab漢x]\s*[ab漢x]", text)
        return
    assert "".join(halves) == text
    assert halves.first.strip()
    assert halves.second.strip()
    assert not halves.gap.strip()


def test_what_is_hidden_is_never_cut():
    text = "see " + "https://example.org/a,b;c/" * 4 + " now"
    halves = cut(text)
    assert halves is not None
    assert MASKER.take_apart(text).hidden[0] in (halves.first + halves.second)
    assert any(MASKER.take_apart(text).hidden[0] in half for half in (halves.first, halves.second))


@pytest.mark.parametrize("character", ["e\u0301", "👩\u200d👩\u200d👧"])
def test_no_character_of_several_code_points_is_taken_apart(character):
    text = character * 4
    halves = cut_in_two(text, Parts((text,), ()))
    assert halves is not None
    assert halves.first == character * 2


def test_nothing_is_cut_where_one_side_would_be_empty():
    assert cut("a") is None
    assert cut(" a ") is None
    assert cut("") is None


@pytest.mark.parametrize(
    ("text", "first", "second", "together"),
    [
        (
            "他昨天去了北京，今天又回来了。",
            "He went to Beijing,",
            "and came back.",
            "He went to Beijing, and came back.",
        ),
        ("他昨天去了北京，今天又回来了。", "北京へ、", "帰った。", "北京へ、帰った。"),
        ("Donaudampfschifffahrtsgesellschaft", "Donau", "dampf", "Donaudampf"),
        ("a b", "x", "y", "x y"),
    ],
)
def test_a_space_is_added_only_between_a_script_without_and_one_with_spaces(text, first, second, together):
    halves = cut(text)
    assert halves is not None
    assert joined(halves, first, second) == together


def test_an_ideograph_is_as_wide_as_three_letters():
    assert (width("abc"), width("漢"), width("")) == (3, 3, 0)
    assert (width("são"), width("a漢\u1100"), width("слово")) == (3, 7, 5)


def test_below_hangul_no_character_is_wide():
    # Those without a character yet count as wide beside others; no text has them.
    letters = [chr(code) for code in range(0x1100) if unicodedata.category(chr(code)) != "Cn"]
    assert all(width(letter) == 1 and width(f"\u1100{letter}") == 4 for letter in letters)

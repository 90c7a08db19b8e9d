"""Emphasis that was left to the engine."""

import pytest

from inference_workers.fidelity.emphasis import widened, with_emphasis


@pytest.mark.parametrize(
    ("translated", "marks", "expected"),
    [
        ("o *nome* da casa", ("*",), "o *nome* da casa"),
        ("o * nome* da **casa **.", ("*", "**"), "o *nome* da **casa**."),
        ("a **casa** e o *nome*", ("*", "**"), "a **casa** e o *nome*"),
        ("sem nada", (), "sem nada"),
        ("2 * 3", (), "2 * 3"),
    ],
)
def test_words_stand_right_between_their_marks(translated, marks, expected):
    assert with_emphasis(translated, marks) == expected


@pytest.mark.parametrize(
    ("translated", "marks"),
    [
        ("o nome* da casa", ("*",)),
        ("o nome da casa", ("*",)),
        ("o **nome** da casa", ("*",)),
        ("o *nome** da casa", ("*",)),
        ("o *nome* e *casa*", ("*",)),
        ("o ** nome da casa", ("*",)),
        ("o * * nome", ("*",)),
        ("o*nome* da casa", ("*",)),
        ("o *nome*da casa", ("*",)),
    ],
)
def test_pairs_that_are_lost_broken_empty_or_grown_together_are_none(translated, marks):
    assert with_emphasis(translated, marks) is None


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("This is **un**usual and *extra*ordinary.", "This is **unusual** and *extraordinary*."),
        ("**P**ortable **N**etwork", "**Portable** **Network**"),
        ("un*believ*able", "*unbelievable*"),
    ],
)
def test_emphasis_inside_a_word_is_widened_to_the_word(text, wide):
    assert widened(text) == wide


@pytest.mark.parametrize("text", ["**so** *so*", "a*b*c", "f*ck", "2*3*4", '"*a" or "**b"', "a ** b ** c", "s**t"])
def test_other_asterisks_stay_where_they_are(text):
    assert widened(text) == text

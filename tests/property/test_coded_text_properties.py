"""Properties of coded text: nothing is lost, whatever is cut, numbered anew or joined again."""

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.coding import CodedBuilder
from connectors.formats.protocol import CodeKind
from schemas.coded_text import (
    CODE,
    balanced,
    check,
    closing,
    codes_of,
    detagged,
    edged,
    isolated,
    number_of,
    numbered_back,
    opening,
    rejoined,
    renumbered,
    restored,
)

WORDS = st.text("ab .\n", max_size=6)


@st.composite
def coded_texts(draw: st.DrawFn, depth: int = 3) -> str:
    """Well-nested coded texts; every number once."""
    start = draw(st.integers(0, 63))
    # Each once, in no order: 7 and 64 have no common factor.
    numbers = ((start + 7 * at) % 64 for at in range(64))

    def some(level: int) -> str:
        pieces = [draw(WORDS)]
        for _ in range(draw(st.integers(0, 2 if level else 0))):
            number = next(numbers)
            inner = some(level - 1)
            is_pair = draw(st.booleans())
            pieces.append(opening(number) + inner + closing(number) if is_pair else isolated(number) + inner)
            pieces.append(draw(WORDS))
        return "".join(pieces)

    return some(depth)


few = settings(max_examples=40)


@few
@given(coded_texts())
def test_a_text_has_no_flaw_against_itself(text):
    assert check(text, text) is None


@few
@given(coded_texts())
def test_numbers_come_back(text):
    found = renumbered(text)
    assert numbered_back(found.text, found.numbers) == text
    numbers = [number_of(code) for code in codes_of(found.text)]
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


@few
@given(coded_texts())
def test_edges_and_inside_are_the_text(text):
    found = edged(text)
    assert found.lead + found.text + found.trail == text
    assert not found.text or check(found.text, found.text) is None
    assert detagged(found.lead + found.trail).strip() == ""
    assert edged(found.text).text == found.text


@few
@given(coded_texts(), st.lists(st.integers(0, 200), max_size=4))
def test_pieces_are_sound_and_join_without_seams(text, places):
    cuts = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    whole = balanced(pieces)
    assert [detagged(piece) for piece in whole] == [detagged(piece) for piece in pieces]
    assert all(check(piece, piece) is None for piece in whole)
    assert check(text, rejoined(whole)) is None
    assert detagged(rejoined(whole)) == detagged(text)


@few
@given(coded_texts(), st.lists(st.integers(0, 200), max_size=4), st.randoms(use_true_random=False))
def test_translated_pieces_join_to_sound_text(text, places, chance):
    """Words change and move inside their pairs; the joined text still has each code once, well nested."""
    cuts = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    translated = [
        CODE.sub(lambda code: code[0] + chance.choice(["", "x", " yy "]), piece) for piece in balanced(pieces)
    ]
    assert check(text, rejoined(translated)) is None


@few
@given(coded_texts())
def test_every_lost_doubled_or_foreign_code_is_found(text):
    for code in codes_of(text)[:3]:
        assert check(text, text.replace(code, "")) == "missing_code"
        assert check(text, text + code) == "repeated_code"
    assert check(text, text + isolated(4000)) == "foreign_code"


def test_crossed_and_moved_codes_are_found():
    pair, other = (opening(0), closing(0)), (opening(1), closing(1))
    source = f"{pair[0]}a{pair[1]}{other[0]}b{other[1]}"
    assert check(source, f"{pair[0]}a{other[0]}{pair[1]}b{other[1]}") == "crossed_codes"
    assert check(source, f"{pair[0]}a{other[0]}b{other[1]}{pair[1]}") == "moved_code"
    assert check(source, f"{other[0]}b{other[1]}{pair[0]}a{pair[1]}") is None


@few
@given(st.lists(st.tuples(st.sampled_from(["text", "open", "close", "alone"]), WORDS, st.sampled_from("xyz"))))
def test_a_builder_keeps_every_original_and_every_word(pieces):
    builder = CodedBuilder()
    written = []
    for number, (what, words, key) in enumerate(pieces):
        written.append(words if what == "text" else f"<{number}>")
        match what:
            case "text":
                builder.text(words)
            case "open":
                builder.open(written[-1], key=key)
            case "close":
                builder.close(written[-1], key)
            case "alone":
                builder.alone(written[-1], kind=CodeKind.BREAK)
    coded = builder.built()
    if coded is None:
        assert re.sub(r"<\d+>", "", "".join(written)).strip() == ""
        return
    originals = {code: "".join(text for text, _ in original) for code, original in coded.originals.items()}
    assert restored(coded.lead + coded.text + coded.trail, originals, str) == "".join(written)
    assert check(coded.text, coded.text) is None
    assert {code.number for code in coded.codes} == {number_of(code) for code in codes_of(coded.text)}

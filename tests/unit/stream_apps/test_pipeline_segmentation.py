"""What is one segment, and what is not."""

import textwrap
import time

import pytest

from schemas.segments import normalise
from stream_apps.pipeline import segmentation as sentences_module
from stream_apps.pipeline.segmentation import Segmenter

SEGMENTER = Segmenter()


def texts(text, language="en", segmenter=SEGMENTER):
    split = segmenter.split(text, language)
    assert split.joined() == text
    return list(split.texts)


def test_sentences_become_segments_and_white_space_stays_between_them():
    split = SEGMENTER.split("  The first one.  And Dr. Smith's second one!\n", "en")
    assert split.lead == "  "
    assert split.texts == ("The first one.", "And Dr. Smith's second one!")
    assert split.gaps == ("  ", "\n")


WRAPPED = """\
When a target is part of a mutable object (an attribute
reference, subscription or slicing), the mutable object must
ultimately perform the assignment. It may raise an exception
if the assignment is unacceptable.
"""


def test_prose_that_was_wrapped_at_a_column_is_cut_at_sentences_not_at_lines():
    assert [len(found.splitlines()) for found in texts(WRAPPED)] == [3, 2]


def test_a_list_item_keeps_its_hanging_lines_and_ends_before_the_next_item():
    text = """\
* If the target list contains one target prefixed with an
  asterisk, called a starred target, the object is iterable.

* If the target list is a single target with no trailing
  comma, the object is assigned to that target.
"""
    assert [found.startswith("If the target list") for found in texts(text)] == [True, True]


def test_lines_that_nobody_wrapped_stay_lines():
    assert texts("Save\nOpen file\nClose\n") == ["Save", "Open file", "Close"]
    headings = "Introduction to the assignment statement\n\nChapter one\n"
    assert texts(headings) == ["Introduction to the assignment statement", "Chapter one"]


def test_a_line_with_room_for_the_next_word_was_ended_on_purpose():
    text = "The order of the day\nis written in the great book of the house here.\n"
    assert len(texts(text)) == 2


@pytest.mark.parametrize("code", [">>> x = 1", "a_rule ::= b | c", "| name | value |", "==========="])
def test_lines_whose_breaks_carry_meaning_are_never_joined(code):
    text = f"{code:<60}x\n{code:<60}x\n"
    assert texts(text) == 2 * texts(f"{code:<60}x\n")


def test_paragraphs_of_one_long_line_each_are_not_joined():
    paragraph = "A long paragraph on one line without an end mark " * 4
    assert len(texts(f"{paragraph.strip()}\n{paragraph.strip()}\n")) == 2


def test_windows_line_ends_are_white_space_like_any_other():
    assert texts("One.\r\n\r\nTwo.\r\n") == ["One.", "Two."]


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("pt", "O Sr. Silva chegou. A casa é grande.", 2),
        ("ja", "家は大きいです。庭は緑です。", 2),
        ("hi", "घर बड़ा है। बगीचा हरा है।", 2),
        ("zh-Hant", "房子很大。花園是綠色的。", 2),
        ("sl", "Hiša je velika. Vrt je zelen.", 2),
    ],
)
def test_sentences_are_found_in_languages_of_both_libraries(language, text, count):
    assert len(texts(text, language)) == count


def test_a_library_that_panics_costs_a_boundary_not_the_process():
    assert texts("K\u3000.", "sl") != []


def test_a_library_that_changes_the_text_is_not_believed(monkeypatch):
    monkeypatch.setattr(sentences_module, "_detected", lambda text, _: [text.upper()])
    assert texts("one. two.") == ["one. two."]


def test_no_segment_is_longer_than_the_limit_and_cuts_prefer_punctuation():
    short = Segmenter(longest=40)
    found = texts("alpha beta gamma delta, epsilon zeta eta theta iota kappa", segmenter=short)
    assert found == ["alpha beta gamma delta,", "epsilon zeta eta theta iota kappa"]
    assert max(map(len, texts("x" * 500, segmenter=short))) <= 40


@pytest.mark.parametrize("text", ["", " \n\t\n", "\u2028"])
def test_white_space_alone_has_no_segments_and_is_not_lost(text):
    split = SEGMENTER.split(text, "en")
    assert (split.lead, split.texts, split.gaps) == (text, (), ())


@pytest.mark.parametrize(
    "unit", [".", '"', "(", "\n", "a. ", "!?a", "a", ". ", "> a\n", " \n", "{a, plural, other {{x \n\n"]
)
def test_hostile_repetitions_take_no_hostile_time(unit):
    text = unit * (60_000 // len(unit))
    started = time.process_time()
    assert SEGMENTER.split(text, "en").joined() == text
    # Ten times what it takes on a slow machine; quadratic time would need minutes.
    assert time.process_time() - started < 10


@pytest.mark.parametrize("prefix", ["", "> ", "> > ", ">> ", "    "])
def test_lines_that_a_person_broke_amid_a_sentence_go_on(prefix):
    lines = (
        "It is said that Mr. Smith, whom nobody knew,",
        "saw the house in London, and that he told",
        "The Times about it in a long letter.",
        "Nobody answered him.",
    )
    found = texts("".join(f"{prefix}{line}\n" for line in lines))
    assert [normalise(one) for one in found] == [" ".join(lines[:3]), lines[3]]


def test_an_address_that_no_line_holds_does_not_hide_that_its_block_was_wrapped():
    address = "https://example.org/a/very/long/address/that/goes/beyond/every/column/of/the/block/around/it.html"
    assert len(texts(f"{WRAPPED}{address}\n")) == 3


def test_fenced_code_is_no_text_and_a_fence_that_nobody_closes_is_one():
    code = "```sh\nmake the house\n\nmake clean\n```"
    split = SEGMENTER.split(f"Run this:\n\n{code}\n\nThen wait.\n~~~\nAnd look.", "en")
    assert split.texts == ("Run this:", "Then wait.", "And look.")
    assert [(one.cause, one.count) for one in split.marks] == [("code_block", 1), ("no_letters", 1)]


def test_bullets_headings_and_rules_are_no_part_of_a_sentence():
    text = "# The house\n\n* It is big.\n- It is green.\n\n* * *\n\n#5 is ours.\n-5 is less.\n>= 6 is more.\n"
    lines = ["The house", "It is big.", "It is green.", "#5 is ours.", "-5 is less.", ">= 6 is more."]
    assert texts(text) == lines


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dr. Smith met Mr. Jones and Mrs. Brown of Acme Inc. in Washington at 5 p.m. on Jan. 5."),
        ("en", "See Fig. 3, pp. 4 ff., vol. 2, no. 7, e.g. the table, i.e. the second one, etc., for details."),
        ("en", "The U.S. army and J. R. R. Tolkien vs. the rest of the world."),
        ("pt", "Diz-se que o Sr. Silva e a Dra. Costa moram na Av. Central, n. 5, p. ex. na casa do séc. XIX."),
        ("de", "Das gilt z. B. für Dr. Müller, d. h. bzw. usw. auch für Nr. 5."),
        ("fr", "M. Dupont et Mme. Martin habitent env. 5 km plus loin, cf. p. 12."),
        ("es", "El Sr. García y la Dra. López viven en la Avda. Central, p. ej. en la casa."),
    ],
)
@pytest.mark.parametrize("line_end", [" ", "\n", "\r\n"])
def test_an_abbreviation_ends_no_sentence(language, text, line_end):
    wrapped = line_end.join(textwrap.wrap(text, 45)) if line_end != " " else text
    assert len(texts(wrapped, language)) == 1

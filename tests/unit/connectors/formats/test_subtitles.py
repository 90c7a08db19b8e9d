"""The rules of subtitles: what stands in a cue beside its words."""

import time

import pytest

from tests.unit.connectors.formats.documents import texts, translated

FIRST, SECOND = "1\n00:00:01,000 --> 00:00:02,000\n", "\n2\n00:00:03,000 --> 00:00:04,000\nThree.\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("cue", "words"),
    [
        ("One\n\ntwo.\n", ["One[0]two."]),
        ("One,\n \n\ntwo\n", ["One,[0]two[1]Three."]),
        ("\nOne.\n", ["One."]),
        (" \n\nOne.\n", ["One."]),
        ("- One.\n\n- Two.\n", ["- One.[0]- Two."]),
        ("{\\AN8}One {\\I1}two{\\I0}.\n", ["One [1]two[2]."]),
        ("One\\Ntwo.\n", ["One[0]two."]),
        ("", []),
    ],
)
def test_blank_lines_and_codes_in_cues_stay(cue, words, newline):
    source = (FIRST + cue + SECOND).replace("\n", newline)
    found = texts("a.srt", source.encode())
    assert found == (words if words and words[-1].endswith("Three.") else [*words, "Three."])
    assert translated("a.srt", source.encode()).decode() == source.upper()


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_cues_without_numbers_and_byte_order_marks_are_read(mark):
    source = mark + (FIRST + "One.\n" + SECOND).replace("1\n00", "00").replace("2\n00", "00")
    assert translated("a.srt", source.encode()).decode() == source.upper()


def test_long_cues_of_files_with_returns_only_are_filled_with_returns():
    long = "this is what somebody says who has very much to say about everything"
    written = translated("a.srt", (FIRST + "One.\n").replace("\n", "\r").encode(), long)
    assert b"\n" not in written
    assert written.count(b"\r") == 4


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_cues_of_webvtt_have_all_their_lines(newline):
    cues = "00:01.000 --> 00:02.000\nOne,\ntwo\n\nNOTE NO\n\n00:03.000 --> 00:04.000\nthree.\n"
    source = ("WEBVTT\n\n" + cues).replace("\n", newline)
    assert texts("a.vtt", source.encode()) == ["One, two[0]three."]
    assert translated("a.vtt", source.encode()).decode() == source.upper().replace(f"ONE,{newline}TWO", "ONE, TWO")


@pytest.mark.parametrize("space", [" ", "\t", "\n", " \n\t"])
def test_much_white_space_in_a_cue_is_read_once(space):
    begin = time.process_time()
    assert texts("a.srt", (FIRST + "one" + space * 100_000 + "two\n").encode())
    assert time.process_time() - begin < 5

"""For any text: nothing lost, nothing empty, nothing too long, always the same."""

import re
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from yasbd import BoundaryDetector
from yasbd.rules import load_rule

from stream_apps.pipeline.passing_through import has_letters
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.sentence_detection import SentenceDetector, languages

PIECES = st.sampled_from(
    [
        "Hello.",
        "Dr. Smith",
        "  ",
        "\n",
        "\r\n",
        "\n\n",
        "* ",
        "e.g. ",
        "。",
        "家は",
        "?!",
        "word ",
        ">>> x",
        "\t",
        "१।",
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.lists(PIECES, max_size=60).map("".join),
)
# The patterns of a language are compiled when it first comes.
UNTIMED = settings(deadline=None)
LANGUAGES = st.sampled_from(["en", "pt", "ja", "hi", "sl", "xx", "zh-Hant"])


@UNTIMED
@given(TEXTS, LANGUAGES)
def test_the_segments_and_their_gaps_are_the_text(text, language):
    assert Segmenter().split(text, language).joined() == text


@UNTIMED
@given(TEXTS, LANGUAGES, st.integers(10, 60))
def test_every_segment_has_content_no_margin_and_a_bounded_length(text, language, longest):
    split = Segmenter(longest).split(text, language)
    assert all(has_letters(segment) for segment in split.texts)
    assert all(len(segment) <= longest and segment == segment.strip() for segment in split.texts)
    assert not any(has_letters(gap) for gap in (split.lead, *split.gaps))


@UNTIMED
@given(TEXTS, LANGUAGES)
def test_a_second_split_is_the_same(text, language):
    assert Segmenter().split(text, language) == Segmenter().split(text, language)


MARKS = st.sampled_from(
    [
        *".!?։՜؟।။。！．？｡‼;՛:()[]\"'`«»“”„—-*•",
        "``",
        "''",
        "...",
        " - ",
        "<b>",
        "</b>",
        ". ",
        ". ",
        "! ",
        "? ",
        " ",
        " ",
    ]
)
TOKENS = st.sampled_from(
    [
        *"aBЖжßıİſµς家か하क²５Ａ3",
        "12",
        "IV",
        "McX",
        "Hello",
        "word",
        "p.m",
        "😀",
        "º",
        "\u0345",
        "1٫2",
        "т. д",
        "e.V.",
    ]
)


@cache
def library(language: str) -> BoundaryDetector:
    return BoundaryDetector(language)


@cache
def detector(language: str) -> SentenceDetector:
    return SentenceDetector(language)


@st.composite
def languages_and_texts(draw: st.DrawFn) -> tuple[str, str]:
    """Texts made of what the library of that language knows: abbreviations, names, starters, section markers."""
    language = draw(st.sampled_from(sorted(languages())))
    rule = load_rule(language, ext_registry={})
    known = [getattr(rule, name) for name in dir(rule) if name.isupper()]
    words = st.sampled_from(sorted({one for some in known if isinstance(some, set | frozenset) for one in some}))
    spelled = st.builds(lambda word, spell: spell(word), words, st.sampled_from([str, str.upper, str.title]))
    text = "".join(draw(st.lists(st.one_of(spelled, MARKS, TOKENS, MARKS), min_size=1, max_size=30)))
    return language, re.sub(r"\s", " ", text)


@settings(max_examples=400, deadline=None)
@given(languages_and_texts())
def test_the_short_way_finds_the_sentences_of_the_library(sample):
    language, text = sample
    wanted = list(library(language).segment(text, preserve_whitespace=True))
    assert detector(language).segment(text) == wanted


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(languages())), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_short_way_finds_the_sentences_of_the_library_in_any_text(language, text):
    flat = re.sub(r"\s", " ", text)
    assert detector(language).segment(flat) == list(library(language).segment(flat, preserve_whitespace=True))

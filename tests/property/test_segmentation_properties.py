"""For any text: nothing lost, nothing empty, nothing too long, always the same."""

from hypothesis import given
from hypothesis import strategies as st

from stream_apps.pipeline.segmentation import Segmenter

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
LANGUAGES = st.sampled_from(["en", "pt", "ja", "hi", "sl", "xx", "zh-Hant"])


@given(TEXTS, LANGUAGES)
def test_the_segments_and_their_gaps_are_the_text(text, language):
    assert Segmenter().split(text, language).joined() == text


@given(TEXTS, LANGUAGES, st.integers(10, 60))
def test_every_segment_has_content_no_margin_and_a_bounded_length(text, language, longest):
    split = Segmenter(longest).split(text, language)
    assert all(0 < len(segment) <= longest and segment == segment.strip() for segment in split.texts)
    assert all(gap.strip() == "" for gap in (split.lead, *split.gaps))


@given(TEXTS, LANGUAGES)
def test_a_second_split_is_the_same(text, language):
    assert Segmenter().split(text, language) == Segmenter().split(text, language)

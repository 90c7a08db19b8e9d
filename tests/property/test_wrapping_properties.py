"""Wrapped prose comes back wrapped: no word is lost, no line is too wide, nothing but its lines changes."""

import re
import textwrap

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import Job
from schemas.segments import LINE_START, is_wrapped, normalise
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.paragraphs import NARROWEST
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.wrapping import columns_of, wrapped_again
from tests.keys import key

_CHOSEN = """
the of a house garden Mr. Smith e.g. it, which morning; nobody (else) letter London 12 5.50 one-two don't
"""
WORDS = st.sampled_from(_CHOSEN.split())
SENTENCES = st.lists(WORDS, min_size=3, max_size=25).map(lambda words: " ".join(["When", *words, "ended."]))
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=5).map(" ".join)
WIDTHS = st.integers(48, 100)
STYLES = st.sampled_from(
    [("", ""), ("* ", "  "), ("    ", "    "), ("> ", "> "), ("> > ", "> > "), ("12. ", "    ")]
)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
UNTIMED = settings(deadline=None)


def translated(text, translate=lambda text: text, segments=32):
    """Send a text through the pure parts of the platform."""
    split = Segmenter().split(text, "en")
    pieces = cut(split, BatchLimits(segments))
    job = Job(batches=len(pieces), segments=len(split.texts))
    done = []
    for batch in batches_of(key("r1"), job, pieces, [None] * len(split.texts), Wishes()):
        texts, gaps = wrapped_again(batch, [translate(normalise(one)) for one in batch.texts])
        done.append(batch.lead + "".join(map(str.__add__, texts, gaps)))
    return "".join(done)


def wrapped(paragraph, width, style, line_end):
    first, others = style
    filled = textwrap.fill(
        paragraph, width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )
    return filled.replace("\n", line_end)


@UNTIMED
@given(PARAGRAPHS, WIDTHS, STYLES, LINE_ENDS)
def test_prose_that_no_engine_changed_comes_back_byte_for_byte(paragraph, width, style, line_end):
    text = wrapped(paragraph, width, style, line_end)
    assert translated(text) == text


@UNTIMED
@given(PARAGRAPHS, WIDTHS, STYLES, LINE_ENDS, st.sampled_from([1, 2, 32]))
def test_translations_are_wrapped_at_the_column_of_their_source_without_losing_a_word(
    paragraph, width, style, line_end, segments
):
    text = wrapped(paragraph, width, style, line_end)
    found = translated(text, lambda one: re.sub(r"\b(the|of|house)\b", r"\1 lengthy", one), segments)
    starts = re.compile(rf"(?:\A|(?<=[\r\n]))(?:\* |12\. |{LINE_START})*")
    assert starts.sub("", found).replace("lengthy", "").split() == starts.sub("", text).split()
    assert set(re.findall(r"\r\n|\r|\n", found)) <= {line_end}
    widths = list(map(len, text.splitlines()))
    # Where every line ends with a sentence, nothing has to be filled again.
    is_broken = any(map(is_wrapped, Segmenter().split(text, "en").texts))
    if segments == 32 and is_broken and max(widths) >= NARROWEST:
        assert max(map(len, found.splitlines())) <= max(widths)


@UNTIMED
@given(TEXTS, st.integers(1, 4))
def test_any_text_keeps_its_words_and_one_without_wrapped_prose_every_byte(text, segments):
    found = translated(text, segments=segments)
    assert normalise(found).replace(">", "").split() == normalise(text).replace(">", "").split()


def test_han_and_kana_take_two_columns_each():
    assert [columns_of(one) for one in ("abc", "家は", "é", "한글")] == [3, 4, 1, 4]

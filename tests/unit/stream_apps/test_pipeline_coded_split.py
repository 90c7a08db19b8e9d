"""Sentences of units with inline codes: found without the codes, and nothing of the unit is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.coded_text import closing, codes_of, isolated, opening
from schemas.messages import Job, SegmentBatch
from schemas.segments import count_words
from stream_apps.pipeline.coded_split import split_coded
from stream_apps.pipeline.finishing import BROKEN_CODES, finished
from stream_apps.pipeline.segmentation import Segmenter

_SEGMENTER = Segmenter()
# As people write them: <0> opens, </0> closes, <0/> stands alone.
SHOWN = {f"<{n}>": opening(n) for n in range(4)}
SHOWN |= {f"</{n}>": closing(n) for n in range(4)} | {f"<{n}/>": isolated(n) for n in range(4)}


def coded(shown: str) -> str:
    for tag, code in SHOWN.items():
        shown = shown.replace(tag, code)
    return shown


def split(text: str):
    return split_coded(text, lambda plain: _SEGMENTER.split(plain, "en", "pt"))


@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("This is <0>bold.</0> And the next.", ["This is <0>bold.</0>", "And the next."]),
        ("<0>All of it is bold.</0>", ["All of it is bold."]),
        ("<0>First one.</0><1/> Second one <2/>here.", ["First one.", "Second one <2/>here."]),
        ("Dr. Smith <1>went. He left</1> now.", ["Dr. Smith <1>went.", "He left</1> now."]),
        ("One. <0>Two</0> is bold. Three.", ["One.", "<0>Two</0> is bold.", "Three."]),
        ("<3/> One.<0> <1>Two</1> more.</0> <2/>", ["One.", "<1>Two</1> more."]),
        ("One line.<1/>Another one.", ["One line.", "Another one."]),
        ("<0>One line.</0><1/><2/><3>Another one.</3>", ["One line.", "Another one."]),
        ("Part one<1/>and two. <2/>Three <3/> more.", ["Part one<1/>and two.", "Three <3/> more."]),
        ("Nothing in it. At all.", ["Nothing in it.", "At all."]),
    ],
)
def test_sentences_are_those_of_the_text_without_codes_and_edges_stand_in_the_gaps(unit, texts):
    found = split(coded(unit))
    assert list(found.texts) == [coded(text) for text in texts]
    assert found.joined() == coded(unit)


PIECES = ("One. ", "Two is here. ", "word ", "Dr. ", "\n", "{0, plural, ", "}", *SHOWN.values())
UNITS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@given(UNITS)
def test_joined_a_split_is_its_unit_whatever_codes_it_has(unit):
    found = split(unit)
    if not any(found.message_forms):
        assert found.joined() == unit
        assert all(codes_of(text) or text.strip() == text for text in found.texts)


def batch(*texts: str) -> SegmentBatch:
    nothing = [None] * len(texts)
    return SegmentBatch(
        request_id="r",
        batch_number=0,
        job=Job(inline_codes=True, batches=1),
        texts=[coded(text) for text in texts],
        gaps=[""] * len(texts),
        translations=nothing,
        scores=nothing,
    )


@pytest.mark.parametrize(
    ("translation", "is_whole"),
    [
        ("Um <0>dois</0> três<1/>", True),
        ("Um <0>dois</0> três", False),
        ("Um <0>dois</0> <0>três</0><1/>", False),
        ("Um dois</0> <0>três<1/>", False),
        ("Um <0>dois<1/></0> três", False),
        ("Um <0>dois</0> três<1/><2/>", False),
    ],
)
def test_a_translation_whose_codes_are_not_its_sources_is_a_hole_with_the_source(translation, is_whole):
    source = "One <0>two</0> three<1/>"
    done = finished(batch(source), [coded(translation)], [None])
    assert list(done.translations) == [coded(translation if is_whole else source)]
    assert list(done.causes) == [None if is_whole else BROKEN_CODES]


def test_codes_are_no_words_and_a_lone_one_parts_two():
    assert count_words(coded("Hel<0>lo</0> there<1/>you <2/> all")) == 4

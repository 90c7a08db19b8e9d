import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError
from schemas.messages import Job
from schemas.segments import Remembered
from stream_apps.pipeline.batching import Wishes, batch_partition, batches_of
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.split import Split
from tests.keys import key

words = st.text(st.characters(codec="utf-8", exclude_categories=("Zs", "Cc")), min_size=1, max_size=20)
splits = st.lists(st.tuples(words, st.sampled_from(["", " ", "\n\n"])), min_size=1, max_size=100).map(
    lambda pairs: Split("  ", tuple(text for text, _ in pairs), tuple(gap for _, gap in pairs))
)


USUAL, NONE = BatchLimits(), Wishes()


def made(split, limits=USUAL, known=None, wishes=NONE):
    pieces = cut(split, limits)
    return batches_of(key("r1", "acme"), Job(), pieces, known or [None] * len(split.texts), wishes)


@given(splits, st.integers(1, 40), st.integers(200, 600))
def test_batches_hold_the_whole_text_within_their_limits(split, segments, text_bytes):
    batches = made(split, BatchLimits(segments, text_bytes))
    assert [batch.batch_number for batch in batches] == list(range(len(batches)))
    assert (
        "".join(
            batch.lead + "".join(text + gap for text, gap in zip(batch.texts, batch.gaps, strict=True))
            for batch in batches
        )
        == split.joined()
    )
    for batch in batches:
        assert 1 <= len(batch.texts) <= segments
        assert (
            sum(len((text + gap).encode()) for text, gap in zip(batch.texts, batch.gaps, strict=True))
            <= text_bytes
        )


@given(splits, st.data())
def test_what_the_memory_knows_never_changes_where_a_batch_ends(split, data):
    hits = st.one_of(st.none(), st.builds(Remembered, st.text(max_size=500), st.none()))
    known = data.draw(st.lists(hits, min_size=len(split.texts), max_size=len(split.texts)))
    without, having = made(split), made(split, known=known)
    assert [batch.texts for batch in having] == [batch.texts for batch in without]
    assert [hit for batch in having for hit in batch.translations] == [hit.text if hit else None for hit in known]


def test_33_segments_make_two_batches_and_only_the_first_has_the_lead():
    first, second = made(Split("\n", ("One two.",) * 33, (" ",) * 33))
    assert (len(first.texts), len(second.texts)) == (17, 16)
    assert (first.lead, second.lead) == ("\n", "")
    assert (first.source_words, second.source_words) == (34, 32)


@given(st.integers(1, 400), st.integers(1, 40), st.integers(1, 12))
def test_batches_have_equally_many_segments_and_many_are_a_multiple(segments, most, round_of):
    split = Split("", ("a",) * segments, ("",) * segments)
    sizes = [len(one.texts) for one in cut(split, BatchLimits(most, 1000, round_of))]
    assert sum(sizes) == segments
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) <= round_of or len(sizes) % round_of == 0 or len(sizes) == segments


def test_wishes_and_scores_travel_with_the_batch():
    wishes = Wishes({"beam": "1"}, ["Acme"])
    (batch,) = made(Split("", ("a", "b"), ("", "")), known=[None, Remembered("B", 0.5)], wishes=wishes)
    assert (batch.key, batch.translations, batch.scores) == (key("r1", "acme"), [None, "B"], [None, 0.5])
    assert (batch.engine_options, batch.do_not_translate) == ({"beam": "1"}, ["Acme"])


def test_the_warnings_of_what_the_memory_knows_travel_with_it():
    split = Split("", ("a", "b"), ("", ""))
    (batch,) = made(split, known=[None, Remembered("B", 0.5, "length")])
    assert batch.warnings == [None, "length"]
    (batch,) = made(split, known=[None, Remembered("B", 0.5)])
    assert batch.warnings == []


def test_one_segment_that_is_too_large_is_refused():
    with pytest.raises(PermanentError) as refused:
        cut(Split("", ("a" * 501,), ("",)), BatchLimits(text_bytes=500))
    assert (refused.value.cause, refused.value.limit) == ("segment_too_large", "500 bytes")


def test_what_passes_through_may_be_longer_than_a_batch():
    limits = BatchLimits(text_bytes=500)
    alone = cut(Split("7" * 1200, (), ()), limits)
    assert "".join(piece.lead for piece in alone) == "7" * 1200
    pieces = cut(Split("", ("a", "b"), ("8" * 1200, "")), limits)
    assert "".join(piece.lead + "".join(map(str.__add__, piece.texts, piece.gaps)) for piece in pieces) == (
        "a" + "8" * 1200 + "b"
    )
    for piece in (*alone, *pieces):
        assert len(piece.lead) + sum(map(len, piece.gaps)) + sum(map(len, piece.texts)) <= 500


def test_batches_of_one_request_go_round_all_partitions():
    found = [batch_partition(key("r1"), number, 6) for number in range(12)]
    assert sorted(found[:6]) == list(range(6))
    assert found[:6] == found[6:]

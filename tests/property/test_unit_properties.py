"""Any array of texts comes back with as many, each with its own words, however it is cut into batches."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import Job, TranslatedBatch
from schemas.segments import normalise
from schemas.units import UNIT_SEPARATOR
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.finishing import finished
from stream_apps.pipeline.join import join
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.units import split_units
from tests.keys import key

ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=UNIT_SEPARATOR), max_size=60)
PROSE = st.text(st.sampled_from("ab .,\n>`-"), max_size=120)
ARRAYS = st.lists(ANY | PROSE, min_size=1, max_size=6)


@settings(deadline=None)
@given(ARRAYS, st.sampled_from([1, 2, 32]), st.sampled_from([16, 400_000]))
def test_as_many_texts_come_back_as_went_in_each_with_its_own_words(texts, segments, text_bytes):
    split = split_units(texts, lambda text: Segmenter(longest=4).split(text, "en", "pt"))
    pieces = cut(split, BatchLimits(segments, text_bytes))
    job = Job(kind="texts", batches=len(pieces), segments=len(split.texts))
    batches = batches_of(key("r1"), job, pieces, [None] * len(split.texts), Wishes())
    result = join([_echoed(batch) for batch in batches], 0)
    assert (result.units, len(result.texts)) == (len(texts), len(texts))
    assert [_words(text) for text in result.texts] == [_words(text) for text in texts]


def _words(text):
    # Lines may be filled anew, with their marks of quotation.
    return normalise(text).replace(">", "").split()


def _echoed(batch):
    nothing = [None] * len(batch.texts)
    done = finished(batch, [normalise(text) for text in batch.texts], nothing)
    return TranslatedBatch(
        request_id="r1",
        batch_number=batch.batch_number,
        job=batch.job,
        lead=batch.lead,
        gaps=done.gaps,
        translations=done.translations,
        causes=done.causes,
        scores=nothing,
        cached=[False] * len(nothing),
    )

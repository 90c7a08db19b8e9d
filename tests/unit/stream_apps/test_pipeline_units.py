"""Arrays of texts: units that no segment crosses, and that come back as many as came."""

import dataclasses

import pytest

from schemas.errors import PermanentError
from schemas.message_parts import Hole
from schemas.messages import Job, SegmentBatch, TranslatedBatch, TranslationResult
from schemas.states import ResultStatus
from schemas.units import UNIT_SEPARATOR, characters_of, joined, shown, units_of, whole_text
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.finishing import finished
from stream_apps.pipeline.join import join
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.split import Split
from stream_apps.pipeline.units import split_units
from stream_apps.redrive.correction import correction_of
from tests.keys import key

NOW = 5_000
FAILS = "FAILS"
WRAPPED = "This line was wrapped at some column by a\nperson, and goes on. The last one ends it."


def split(texts: list[str], target: str = "pt") -> Split:
    return split_units(texts, lambda text: Segmenter().split(text, "en", target))


def batches(texts: list[str], segments: int = 32, kind: str = "texts") -> list[SegmentBatch]:
    found = split(texts)
    pieces = cut(found, BatchLimits(segments))
    characters = characters_of(joined(texts), kind)
    job = Job(
        kind=kind, batches=len(pieces), segments=len(found.texts), characters=characters, pipeline_version="v1"
    )
    return batches_of(key("r1"), job, pieces, [None] * len(found.texts), Wishes())


def answered(batch: SegmentBatch, translate=str.upper) -> TranslatedBatch:
    """Answer as a worker does; a segment that holds FAILS is a hole."""
    causes = ["truncated" if FAILS in text else None for text in batch.texts]
    texts = [text if cause else translate(text) for text, cause in zip(batch.texts, causes, strict=True)]
    done = finished(batch, texts, causes)
    nothing = [None] * len(done.translations)
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
        numbers=batch.numbers,
    )


def translated(texts: list[str], segments: int = 32, translate=str.upper) -> TranslationResult:
    return join([answered(batch, translate) for batch in batches(texts, segments)], NOW)


@pytest.mark.parametrize("segments", [1, 2, 32])
@pytest.mark.parametrize(
    "texts",
    [
        ["Good morning.", "Good night."],
        ["One. Two.", "", "  Three.  ", "\n", "Four"],
        ["", "Hello.", ""],
        [" ", ""],
        ["This sentence goes on and", "on in the next text, it seems."],
        [WRAPPED, "a small letter begins this one, which is another text.", WRAPPED],
        ["```", "Not code, though it stands between fences.", "```"],
        ["> Quoted.", "- An item.", "# A heading"],
        ["A text that ends with a line break.\n", "\nAnother."],
        ["123", "Number.", "\U0001f600"],
    ],
)
def test_as_many_texts_come_back_as_went_in_each_from_its_own_alone(texts, segments):
    result = translated(texts, segments)
    assert (result.text, result.kind, result.units, result.status) == (None, "texts", len(texts), "COMPLETED")
    assert [text.split() for text in result.texts] == [text.upper().split() for text in texts]
    assert [text[: len(text) - len(text.lstrip())] for text in result.texts if text.strip()] == [
        text[: len(text) - len(text.lstrip())] for text in texts if text.strip()
    ]


def test_no_segment_crosses_a_border_and_the_gaps_hold_the_separators():
    found = split(["It goes on and", "on. Then it ends.", " ", "Last."])
    assert found.texts == ("It goes on and", "on.", "Then it ends.", "Last.")
    assert (found.lead, found.gaps) == ("", ("\x1e", " ", "\x1e \x1e", ""))
    assert found.joined() == joined(["It goes on and", "on. Then it ends.", " ", "Last."])


def test_the_separator_behind_a_wrapped_text_survives_where_a_batch_ends():
    wide = WRAPPED.partition(" The")[0]
    assert translated([wide, "Short."], segments=1).texts == (wide.upper(), "SHORT.")


def test_each_text_of_an_array_may_be_a_message_of_its_own():
    texts = ["{n, plural, one {# file} other {# files}}", "A plain one."]
    assert [text.split() for text in translated(texts).texts] == [
        ["{n,", "plural,", "one", "{#", "FILE}", "other", "{#", "FILES}}"],
        ["A", "PLAIN", "ONE."],
    ]


def test_marks_count_over_all_texts():
    assert [(mark.cause, mark.count) for mark in split(["1", "2", "", "Three."]).marks] == [("no_letters", 2)]


def test_figures_leave_the_separators_out():
    result = translated(["Good day.", "Bye."])
    assert (result.source_characters, result.target_characters) == (13, 13)


def test_a_hole_knows_its_text_and_its_place_there():
    result = translated(["One. Two.", "", "Well. FAILS here. Good.", "FAILS too."])
    assert (result.status, result.texts) == ("PARTIAL", ("ONE. TWO.", "", "WELL. FAILS here. GOOD.", "FAILS too."))
    assert [(hole.segment, hole.unit, hole.start, hole.length) for hole in result.holes] == [
        (3, 2, 6, 11),
        (5, 3, 0, 10),
    ]
    shown_holes = [result.texts[hole.unit][hole.start : hole.start + hole.length] for hole in result.holes]
    assert shown_holes == ["FAILS here.", "FAILS too."]


def test_where_nothing_could_be_translated_there_are_no_texts_and_the_holes_know_theirs():
    result = translated(["FAILS.", "FAILS again."])
    assert (result.status, result.text, result.texts, result.units) == ("FAILED", None, (), 2)
    assert [(hole.unit, hole.start) for hole in result.holes] == [(0, -1), (1, -1)]


def test_a_separator_that_an_engine_made_up_makes_no_text():
    assert translated(["One.", "Two."], translate=lambda text: f"a\x1e{text}").texts == ("a One.", "a Two.")


@pytest.mark.parametrize("segments", [1, 32])
def test_a_correction_fills_the_holes_of_an_array_in_their_texts(segments):
    texts = ["One. FAILS first.", "", "FAILS second. Two.", "Three."]
    origin = batches(texts)[0]
    partial = dataclasses.replace(translated(texts), source_words=7)
    again = correction_of(partial, joined(partial.texts), origin, BatchLimits(segments), NOW)
    assert [text for batch in again for text in batch.texts] == ["FAILS first.", "FAILS second."]
    corrected = join([answered(_without_failure(batch)) for batch in again], NOW)
    assert (corrected.status, corrected.version, corrected.holes) == ("COMPLETED", 2, ())
    assert corrected.texts == ("ONE. WORKS FIRST.", "", "WORKS SECOND. TWO.", "THREE.")
    assert (corrected.segments, corrected.units, corrected.kind) == (5, 4, "texts")


def test_a_correction_whose_segments_fail_again_gives_the_same_holes():
    texts = ["One. FAILS first.", "FAILS second. Two."]
    partial = translated(texts)
    again = correction_of(partial, joined(partial.texts), batches(texts)[0], BatchLimits(), NOW)
    assert [vars(hole) for hole in join([answered(one) for one in again], NOW).holes] == [
        vars(hole) for hole in partial.holes
    ]


@pytest.mark.parametrize(
    "hole", [Hole(segment=0, cause="x", unit=9, start=0, length=1), Hole(segment=0, cause="x")]
)
def test_a_hole_outside_its_array_is_refused(hole):
    result = TranslationResult(request_id="r1", kind="texts", texts=("a",), holes=(hole,))
    with pytest.raises(PermanentError, match="where its holes are"):
        correction_of(result, "a", batches(["a"])[0], BatchLimits(), NOW)


def test_one_text_may_hold_the_separator_and_keeps_it():
    result = join([answered(batch) for batch in batches(["One.\x1eTwo."], kind="text")], NOW)
    assert (result.text, result.texts, result.units) == ("ONE.\x1eTWO.", (), 0)


def test_a_document_gets_its_units_joined_for_whoever_merges_them():
    result = join([answered(batch) for batch in batches(["One.", "Two."], kind="document")], NOW)
    assert (result.text, result.texts, result.units) == (f"ONE.{UNIT_SEPARATOR}TWO.", (), 2)


def test_the_text_of_a_result_is_the_same_wherever_it_stood():
    result = TranslationResult(request_id="r1", status=ResultStatus.COMPLETED, kind="texts", texts=("a", "", "b"))
    assert (whole_text(result), units_of("a\x1e\x1eb", "texts")) == ("a\x1e\x1eb", ["a", "", "b"])
    assert shown(whole_text(result), "texts") == {"text": None, "texts": ("a", "", "b")}
    assert units_of("a\x1eb", "text") == ("a\x1eb",)


def _without_failure(batch: SegmentBatch) -> SegmentBatch:
    return dataclasses.replace(batch, texts=[text.replace(FAILS, "works") for text in batch.texts])

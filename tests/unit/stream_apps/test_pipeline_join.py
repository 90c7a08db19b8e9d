"""Joining batches: text, holes, counts, confidence, timings."""

import dataclasses
from typing import Any

import pytest

from schemas.errors import PermanentError
from schemas.message_parts import Hole, Suspect, Warning
from schemas.messages import Job, TranslatedBatch
from stream_apps.pipeline.join import check_batch, join, split_of

JOB = Job(
    priority="high",
    source_language="en",
    detected_language="en",
    target_language="pt",
    pipeline_version="v1",
    segments=3,
    batches=2,
    words=9,
    characters=40,
    submitted_at=1_000,
    accepted_at=2_000,
    metadata={"ticket": "7"},
)


def batch(number: int = 0, **changes: Any) -> TranslatedBatch:
    two = {
        "job": JOB,
        "lead": "\t" if number == 0 else "",
        "gaps": (" ", "\n\n"),
        "translations": ("Olá.", "Tudo bem?"),
        "causes": (None, None),
        "scores": (0.5, 1.0),
        "cached": (True, False),
        "target_words": 3,
        "model": "m1",
        "timings": {"queue": 1.0 + number, "translate": 0.25},
    }
    return TranslatedBatch(tenant="acme", request_id="r1", batch_number=number, **two | changes)


def one(number: int, text: str, cause: str | None = None, score: float | None = None) -> TranslatedBatch:
    return batch(number, translations=(text,), gaps=("",), causes=(cause,), scores=(score,), cached=(False,))


def test_the_text_is_lead_then_each_translation_with_its_gap_over_all_batches():
    assert join([batch(0), batch(1)], 5_000).text == "\tOlá. Tudo bem?\n\nOlá. Tudo bem?\n\n"


def test_a_result_echoes_its_job_and_counts_the_whole_request():
    result = join([batch(0), batch(1)], 5_000)
    assert (result.tenant, result.priority, result.pipeline_version) == ("acme", "high", "v1")
    assert (result.source_language, result.detected_language, result.target_language) == ("en", "en", "pt")
    assert (result.segments, result.source_words, result.target_words) == (4, 9, 6)
    assert (result.source_characters, result.target_characters) == (40, len(result.text or ""))
    assert (result.submitted_at, result.completed_at, result.metadata) == (1_000, 5_000, {"ticket": "7"})
    assert (result.status, result.cached_share, result.model) == ("COMPLETED", 0.5, "m1")


def test_waits_side_by_side_count_once_and_work_adds_up():
    assert join([batch(0), batch(1)], 5_000).timings == {"queue": 2.0, "translate": 0.5, "total": 3.0}


def test_without_a_time_of_acceptance_the_total_runs_from_submission():
    job = dataclasses.replace(JOB, accepted_at=0)
    assert join([batch(0, job=job)], 5_000).timings["total"] == 4.0
    assert join([batch(0, job=Job(batches=1))], 5_000).timings["total"] == 0.0


def test_warnings_are_counted_over_the_whole_request_and_it_is_complete_all_the_same():
    doubtful = batch(0, warnings=("figures_differ", None))
    result = join([doubtful, batch(1, warnings=("source_repeated", "figures_differ"))], 5_000)
    assert result.warnings == (
        Warning(cause="figures_differ", count=2),
        Warning(cause="source_repeated", count=1),
    )
    assert (result.status, result.holes) == ("COMPLETED", ())
    assert join([batch(0), batch(1)], 5_000).warnings == ()


def test_suspects_say_where_each_warning_of_a_segment_stands():
    doubtful = batch(1, warnings=(None, "source_repeated"))
    result = join([batch(0), doubtful], 5_000)
    assert result.suspects == (Suspect(segment=3, cause="source_repeated", start=22, length=9),)
    assert result.text is not None
    assert result.text[22 : 22 + 9] == "Tudo bem?"
    assert join([batch(0), batch(1)], 5_000).suspects == ()


def test_a_hole_is_no_suspect_and_a_text_without_translation_has_none():
    holed = batch(1, causes=(None, "mask_lost"), warnings=("figures_differ", "figures_differ"))
    assert [suspect.segment for suspect in join([batch(0), holed], 5_000).suspects] == [2]
    lost = batch(causes=("timeout",) * 2, warnings=("figures_differ",) * 2, job=Job(batches=1))
    assert join([lost], 5_000).suspects == ()


def test_so_many_suspects_are_named_that_a_result_fits_into_a_record():
    none, words, fresh = (None,) * 1200, ("w",) * 1200, (False,) * 1200
    many = batch(
        job=Job(batches=1),
        translations=words,
        gaps=words,
        causes=none,
        scores=none,
        cached=fresh,
        warnings=words,
    )
    result = join([many], 5_000)
    assert (len(result.suspects), result.warnings) == (1000, (Warning(cause="w", count=1200),))


@pytest.mark.parametrize("warnings", [("figures_differ",), ("x" * 2000, None)])
def test_warnings_that_fit_no_segment_or_are_too_long_are_refused(warnings):
    with pytest.raises(PermanentError, match="warnings"):
        check_batch(batch(0, warnings=warnings))


def test_holes_are_numbered_over_the_whole_request_and_make_it_partial():
    result = join([batch(0), batch(1, causes=(None, "mask_lost"))], 5_000)
    assert result.status == "PARTIAL"
    assert result.holes == (Hole(segment=3, cause="mask_lost", start=22, length=9),)
    assert result.text is not None
    assert result.text[22 : 22 + 9] == "Tudo bem?"
    assert (result.source_words, result.error_cause) == (9, None)


def test_when_every_segment_is_a_hole_the_request_failed_and_is_not_billed():
    result = join([one(0, "a", "timeout"), one(1, "b", "mask_lost"), one(2, "c", "mask_lost")], 5_000)
    assert (result.status, result.text, result.error_cause) == ("FAILED", None, "mask_lost")
    assert (result.source_words, result.target_words, result.target_characters, result.segments) == (0, 0, 0, 3)
    assert result.error_message == "none of the 3 segments could be translated"
    assert [(hole.segment, hole.start, hole.length) for hole in result.holes] == [(n, -1, -1) for n in range(3)]


def test_a_request_of_white_space_only_is_complete():
    nothing = batch(0, lead=" \n", gaps=(), translations=(), causes=(), scores=(), cached=(), target_words=0)
    result = join([nothing], 5_000)
    assert (result.status, result.text, result.segments) == ("COMPLETED", " \n", 0)
    assert (result.cached_share, result.confidence) == (0.0, None)


def test_confidence_is_the_mean_score_weighted_by_length():
    assert join([batch(0)], 5_000).confidence == pytest.approx((0.5 * 4 + 1.0 * 9) / 13)


def test_one_unknown_score_makes_the_confidence_unknown():
    assert join([batch(0), batch(1, scores=(0.9, None))], 5_000).confidence is None


def test_a_hole_has_no_score_and_does_not_hide_the_others():
    assert join([one(0, "abc", score=0.75), one(1, "x", "timeout")], 5_000).confidence == 0.75


def test_every_model_that_took_part_is_named_once():
    assert join([batch(0, model="b"), batch(1, model="a"), batch(2, model="b")], 5_000).model == "a, b"


def test_splits_differ_by_pipeline_version_number_of_batches_and_payload():
    others: list[dict[str, Any]] = [{"pipeline_version": "v2"}, {"batches": 3}, {"fingerprint": "f" * 32}]
    assert len({split_of(JOB), *(split_of(dataclasses.replace(JOB, **other)) for other in others)}) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": 2}, "batch_number"),
        ({"number": -1}, "batch_number"),
        ({"gaps": ("",)}, "gaps"),
        ({"causes": ()}, "causes"),
        ({"scores": (0.1,)}, "scores"),
        ({"cached": (True,) * 3}, "cached"),
        ({"job": dataclasses.replace(JOB, priority="soon")}, "priority"),
        ({"job": Job(batches=0)}, "batch_number"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_by_the_name_of_the_field(changes, field):
    with pytest.raises(PermanentError) as caught:
        check_batch(batch(**changes))
    assert caught.value.field == field
    assert caught.value.limit
    assert caught.value.cure


def test_a_sound_batch_is_let_through():
    check_batch(batch(1))

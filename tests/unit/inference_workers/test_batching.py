"""Identical segments once, grouped by what decides a translation and who may share it."""

from inference_workers.batching import plan
from schemas.messages import Job, SegmentBatch


def batch(texts, filled=(), target="pt", options=None):
    translations = [("known" if text in filled else None) for text in texts]
    job = Job(source_language="en", target_language=target)
    return SegmentBatch(
        request_id="r",
        batch_number=0,
        job=job,
        texts=texts,
        translations=translations,
        engine_options=options or {},
    )


def planned(*batches):
    return plan(batches, [one.texts for one in batches])


def test_identical_segments_of_a_cycle_are_translated_once():
    (work,) = planned(batch(["a", "b", "a"]), batch(["b"]))
    assert work.wanted == {"a": [(0, 0), (0, 2)], "b": [(0, 1), (1, 0)]}


def test_segments_that_the_memory_filled_are_left_alone():
    (work,) = planned(batch(["a", "b"], filled=["a"]))
    assert list(work.wanted) == ["b"]


def test_a_cycle_without_open_segments_is_no_work():
    assert planned(batch(["a"], filled=["a"])) == []


def test_languages_and_options_are_never_mixed():
    works = planned(batch(["a"]), batch(["a"], target="es"), batch(["a"], options={"beam": "4"}))
    assert [
        (work.context.source + "-" + work.context.target, dict(work.context.engine_options)) for work in works
    ] == [
        ("en-pt", {}),
        ("en-es", {}),
        ("en-pt", {"beam": "4"}),
    ]

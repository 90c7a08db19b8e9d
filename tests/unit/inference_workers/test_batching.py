"""Identical segments once, grouped by what decides a translation."""

import pytest

from inference_workers.batching import plan
from schemas.messages import Job, SegmentBatch


def batch(texts, filled=(), tenant="acme", glossaries=(), scope="", **wishes):
    translations = [("known" if text in filled else None) for text in texts]
    job = Job(
        source_language="en", target_language=wishes.pop("target", "pt"), glossaries=glossaries, memory_scope=scope
    )
    return SegmentBatch(
        tenant=tenant, request_id="r", batch_number=0, job=job, texts=texts, translations=translations, **wishes
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


@pytest.mark.parametrize(
    "other",
    [
        {"target": "es"},
        {"engine_options": {"beam": "4"}},
        {"glossaries": ["terms-1"]},
        {"do_not_translate": ["Acme"]},
        {"tenant": "globex"},
        {"scope": "plants"},
    ],
)
def test_what_decides_a_translation_or_who_may_share_it_is_never_mixed(other):
    works = planned(batch(["a"]), batch(["a"], **other), batch(["a"]))
    assert [work.wanted for work in works] == [{"a": [(0, 0), (2, 0)]}, {"a": [(1, 0)]}]


def test_options_in_another_order_and_tenants_of_one_group_share_their_work():
    (work,) = planned(
        batch(["a"], engine_options={"beam": "4", "tone": "soft"}, scope="plants"),
        batch(["a"], engine_options={"tone": "soft", "beam": "4"}, scope="plants", tenant="globex"),
    )
    assert work.wanted == {"a": [(0, 0), (1, 0)]}

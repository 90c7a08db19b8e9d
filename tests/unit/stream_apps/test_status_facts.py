"""What each event may say of its job, and with which weight."""

from typing import Any

import pytest

from schemas.errors import PermanentError
from schemas.events import JobEvent
from schemas.states import JobStage, ResultStatus
from schemas.validity import LATEST_MS
from stream_apps.status.facts import update_of


def event(stage: str, **fields: Any) -> JobEvent:
    return JobEvent(stage=JobStage[stage], **{"request_id": "r1", "tenant": "acme", "at": 1_000, **fields})


def weight(stage: str, name: str, **fields: Any) -> int:
    return update_of(event(stage, **fields)).facts[name].weight


def test_intake_describes_a_job_better_than_a_worker_and_an_acceptor_better_than_the_assembler():
    order = ("FINISHED", "ACCEPTED", "TRANSLATED", "SEGMENTED")
    weights = [weight(stage, "tenant", at=9_000 - number) for number, stage in enumerate(order)]
    assert weights == sorted(set(weights))


def test_a_later_stage_outweighs_an_earlier_one_whatever_their_clocks_say():
    order = ("ACCEPTED", "SEGMENTED", "TRANSLATED", "FINISHED")
    weights = [weight(stage, "stage", at=9_000 - number) for number, stage in enumerate(order)]
    assert weights == sorted(set(weights))


def test_of_two_equal_stages_the_later_counts():
    assert weight("SEGMENTED", "tenant", at=2) > weight("SEGMENTED", "tenant", at=1)


def test_a_batch_says_nothing_of_the_size_of_the_whole_job():
    update = update_of(event("TRANSLATED", batch_number=3, batches=4, segments=32, words=400))
    assert {"segments", "words", "cached_segments"}.isdisjoint(update.facts)
    assert update.facts["batches"].value == "4"
    assert update.batch is not None
    assert (update.batch.number, update.batch.segments, update.batch.words) == (3, 32, 400)


def test_what_an_event_does_not_know_it_does_not_say():
    facts = update_of(event("ACCEPTED", tenant="", submitted_at=0)).facts
    assert set(facts) == {"priority", "pool", "stage", "updated_at"}


def test_only_the_last_stage_has_a_status():
    assert "status" not in update_of(event("SEGMENTED", status=ResultStatus.COMPLETED)).facts
    assert update_of(event("FINISHED", status=ResultStatus.PARTIAL)).facts["status"].value == "PARTIAL"


def test_details_are_kept_one_by_one_the_latest_stage_last():
    facts = update_of(
        event("FINISHED", status=ResultStatus.FAILED, detail={"cause": "timeout", "field": ""})
    ).facts
    assert facts["detail.cause"].value == "timeout"
    assert "detail.field" not in facts
    assert facts["detail.cause"].weight > weight("SEGMENTED", "detail.cause", detail={"cause": "x"}, at=5_000)


def test_weights_stay_below_what_lua_can_compare_exactly():
    assert weight("FINISHED", "stage", at=LATEST_MS) < 2**53


@pytest.mark.parametrize(
    ("stage", "fields", "named"),
    [
        ("ACCEPTED", {"priority": "soon"}, "priority"),
        ("ACCEPTED", {"at": -5}, "at"),
        ("ACCEPTED", {"at": 10**17}, "at"),
        ("ACCEPTED", {"request_id": ""}, "request_id"),
        ("ACCEPTED", {"words": -1}, "words"),
        ("ACCEPTED", {"detail": {"a": "x" * 20_000}}, "detail"),
        ("TRANSLATED", {"batch_number": -1}, "batch_number"),
        ("TRANSLATED", {"batch_number": 10**9}, "batch_number"),
    ],
)
def test_an_event_that_no_stage_sends_is_refused_by_the_name_of_the_field(stage, fields, named):
    with pytest.raises(PermanentError) as caught:
        update_of(event(stage, **fields))
    assert (caught.value.field, bool(caught.value.limit), bool(caught.value.cure)) == (named, True, True)

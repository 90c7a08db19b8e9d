"""Answers without a text, and what is billed and told for any answer."""

from dataclasses import replace

import pytest

from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.message_parts import Hole
from schemas.messages import Job, TranslationResult
from schemas.states import ControlAction, ResultStatus
from stream_apps.pipeline.early_results import check_order, early_result, withheld
from stream_apps.pipeline.result_events import billed_usage

JOB = Job(priority="critical", pool="gpu", segments=5, batches=2, words=80, characters=400, accepted_at=1_000)
RESULT = TranslationResult(
    request_id="r1",
    tenant="acme",
    priority="critical",
    status=ResultStatus.PARTIAL,
    text="Olá",
    holes=(Hole(segment=1, cause="timeout"),),
    segments=4,
    source_words=80,
    target_words=90,
    source_characters=400,
    cached_segments=3,
    cached_share=0.75,
    source_language="en",
    target_language="pt",
    model="m1",
    completed_at=3_500,
)


@pytest.mark.parametrize(
    ("action", "status", "cause"),
    [
        (ControlAction.CANCEL, ResultStatus.CANCELLED, "cancelled"),
        (ControlAction.EXPIRE, ResultStatus.EXPIRED, "expired"),
        (ControlAction.FAIL, ResultStatus.FAILED, "failed"),
    ],
)
def test_each_order_has_its_status_and_a_cause(action, status, cause):
    order = JobControl(tenant="acme", request_id="r1", action=action)
    check_order(order)
    result = early_result(order, JOB, 4_000)
    assert (result.request_id, result.status, result.error_cause) == ("r1", status, cause)
    assert (result.text, result.tenant, result.segments, result.timings) == (None, "acme", 5, {"total": 3.0})


def test_a_refusal_says_which_field_was_wrong():
    order = JobControl(
        tenant="acme",
        request_id="r1",
        action=ControlAction.FAIL,
        cause="unsupported_pair",
        message="no model",
        field="text",
    )
    result = early_result(order, JOB, 4_000)
    assert (result.error_cause, result.error_message, result.error_field) == (
        "unsupported_pair",
        "no model",
        "text",
    )


def test_what_was_not_delivered_is_not_billed():
    result = early_result(JobControl(tenant="acme", request_id="r1", action=ControlAction.CANCEL), JOB, 4_000)
    usage = billed_usage(result, JOB)
    assert (result.source_words, usage.source_words, usage.source_characters) == (0, 0, 0)


def test_an_order_with_an_unknown_priority_is_refused():
    with pytest.raises(PermanentError) as caught:
        check_order(
            JobControl(tenant="acme", request_id="r1", action=ControlAction.FAIL, job=Job(priority="soon"))
        )
    assert caught.value.field == "priority"


def test_a_text_that_cannot_be_handed_over_fails_and_is_not_billed():
    result = withheld(RESULT, PermanentError("result_too_large", "too large", cure="split it"))
    assert (result.status, result.text, result.error_cause) == ("FAILED", None, "result_too_large")
    assert (result.error_message, result.source_words, result.target_words) == ("too large: split it", 0, 0)
    assert billed_usage(result, JOB).source_characters == 0


def test_the_billed_row_repeats_the_words_of_the_result():
    usage = billed_usage(RESULT, JOB)
    assert (usage.kind, usage.status, usage.pool, usage.tenant) == ("billed", "PARTIAL", "gpu", "acme")
    assert (usage.source_words, usage.target_words, usage.source_characters) == (80, 90, 400)
    assert (usage.segments, usage.cached_segments, usage.failed_segments) == (4, 3, 1)
    assert (usage.latency_ms, usage.sla_ms, usage.at) == (2_500.0, 30_000, 3_500)


def test_a_request_has_one_billed_row_whoever_answers_it():
    cancelled = early_result(JobControl(tenant="acme", request_id="r1", action=ControlAction.CANCEL), JOB, 4_000)
    assert billed_usage(RESULT, JOB).event_id == billed_usage(cancelled, JOB).event_id


def test_requests_of_two_tenants_under_one_id_have_billed_rows_of_their_own():
    theirs = replace(RESULT, tenant="globex")
    assert billed_usage(RESULT, JOB).event_id != billed_usage(theirs, JOB).event_id
    assert billed_usage(theirs, JOB).tenant == "globex"


def test_a_correction_bills_words_and_characters_that_were_not_billed_before():
    job = replace(JOB, revision=2, billed_words=70, billed_characters=350)
    usage = billed_usage(replace(RESULT, version=2), job)
    assert (usage.source_words, usage.source_characters) == (10, 50)
    again = billed_usage(replace(RESULT, version=2), replace(job, billed_words=80, billed_characters=400))
    assert (again.source_words, again.source_characters) == (0, 0)

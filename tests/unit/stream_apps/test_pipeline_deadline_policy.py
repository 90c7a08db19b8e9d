"""What a deadline means, by priority and by the request's own word."""

import pytest

from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.priorities import Priority
from schemas.topics import CONTROL
from stream_apps.pipeline.deadline_policy import DeadlinePolicy, with_deadline_policy
from tests.unit.stream_apps.test_intake_handler import NOW, Intake, batches, read, request

SOON, PASSED = NOW + 60_000, NOW - 100


def late(request, policy=DeadlinePolicy.EXPIRE):
    return with_deadline_policy(request, Priority.HIGH, {Priority.HIGH: policy})


def test_a_request_that_expires_keeps_its_deadline_and_one_that_is_served_has_none():
    assert late(request(deadline=SOON)).deadline == SOON
    assert late(request(deadline=SOON), DeadlinePolicy.SERVE).deadline is None


def test_what_a_request_wants_wins_over_the_policy_of_its_priority():
    assert late(request(deadline=SOON, late_policy="serve")).deadline is None
    assert late(request(deadline=SOON, late_policy="expire"), DeadlinePolicy.SERVE).deadline == SOON


def test_an_engine_may_have_an_option_named_late():
    (batch,) = batches(Intake().take(request(deadline=SOON, engine_options={"late": "serve"})))
    assert (batch.engine_options, batch.job.deadline) == ({"late": "serve"}, SOON)


def test_another_value_is_refused_by_name():
    with pytest.raises(PermanentError, match="'never', which is none of expire, serve") as refused:
        late(request(late_policy="never"))
    assert (refused.value.cause, refused.value.field) == ("bad_late_policy", "late_policy")
    assert (refused.value.limit, bool(refused.value.cure)) == ("expire, serve", True)


@pytest.mark.parametrize("deadline", [SOON, PASSED])
def test_what_is_served_late_travels_without_a_deadline_however_late_it_is(deadline):
    outputs = Intake(late={"high": "serve"}).take(request(deadline=deadline, submitted_at=NOW - 900))
    (batch,) = batches(outputs)
    assert batch.job.deadline is None


def test_what_expires_tells_its_deadline_to_the_workers():
    outputs = Intake().take(request(deadline=SOON))
    assert batches(outputs)[0].job.deadline == SOON


def test_a_deadline_that_passed_before_the_request_was_read_ends_it_at_once():
    outputs = Intake().take(request(deadline=PASSED, submitted_at=NOW - 900))
    (order,) = read(outputs, CONTROL, JobControl)
    assert (order.action, len(outputs)) == ("EXPIRE", 1)

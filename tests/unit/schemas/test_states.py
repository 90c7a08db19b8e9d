"""Stages, statuses, actions and kinds: enums in code, strings on the wire, checked when decoded."""

import dataclasses
from typing import Any

import pytest

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl, JobEvent, UsageEvent
from schemas.messages import TranslationResult
from schemas.priorities import Priority, parse_priority
from schemas.states import ControlAction, JobStage, ResultStatus, UsageKind, parse_member

CODEC = Codec()
EVENT = JobEvent(request_id="r", stage=JobStage.FINISHED, status=ResultStatus.PARTIAL)
USAGE = UsageEvent(event_id="e", request_id="r", kind=UsageKind.BILLED, status=ResultStatus.FAILED)
ORDER = JobControl(request_id="r", action=ControlAction.EXPIRE)
RESULT = TranslationResult(request_id="r", target_language="pt", status=ResultStatus.CANCELLED)


def again(message: Any) -> Any:
    return CODEC.decode(CODEC.encode(message), type(message))


@pytest.mark.parametrize("message", [EVENT, USAGE, ORDER, RESULT])
def test_a_decoded_message_has_enums_and_a_datum_plain_strings(message):
    assert again(message) == message
    for name in {"stage", "status", "action", "kind"} & set(message.to_datum()):
        assert type(message.to_datum()[name]) is str
        assert type(getattr(again(message), name)) is type(getattr(message, name)) is not str


@pytest.mark.parametrize(("message", "wire"), [(EVENT, None), (USAGE, ""), (RESULT, "")])
def test_no_status_is_none_in_code(message, wire):
    without = dataclasses.replace(message, status=None)
    assert without.to_datum()["status"] == wire
    assert again(without).status is None


@pytest.mark.parametrize(
    ("message", "field", "limit"),
    [
        (EVENT, "stage", "ACCEPTED, SEGMENTED, TRANSLATED, FINISHED"),
        (EVENT, "status", "COMPLETED, PARTIAL, FAILED, CANCELLED, EXPIRED"),
        (USAGE, "kind", "billed, compute"),
        (USAGE, "status", "COMPLETED, PARTIAL, FAILED, CANCELLED, EXPIRED"),
        (ORDER, "action", "CANCEL, EXPIRE, FAIL"),
        (RESULT, "status", "COMPLETED, PARTIAL, FAILED, CANCELLED, EXPIRED"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(message, field, limit):
    encoded = CODEC.encode(dataclasses.replace(message, **{field: "DREAMT"}))
    with pytest.raises(PermanentError) as caught:
        CODEC.decode(encoded, type(message))
    error = caught.value
    assert (error.cause, error.field, error.limit) == (f"unknown_{field}", field, limit)
    assert error.message == f"{field} is 'DREAMT', which is none of {limit}"
    assert error.cure == f"send one of {limit}"


def test_priorities_follow_the_same_rule():
    assert parse_priority("high") is parse_member(Priority, "priority", "high") is Priority.HIGH
    with pytest.raises(PermanentError) as caught:
        parse_priority("soon")
    assert (caught.value.cause, caught.value.limit) == ("unknown_priority", "critical, high, standard")

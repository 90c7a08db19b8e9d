"""Stages, statuses, actions and kinds: enums in code, strings on the wire, checked when decoded."""

import dataclasses
from typing import Any, cast

import pytest

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl, UsageBatch, UsageEvent
from schemas.messages import Message, TranslationResult
from schemas.priorities import Priority, parse_priority
from schemas.states import ControlAction, ResultStatus, UsageKind, parse_member

CODEC = Codec()
ROW = UsageEvent(event_id="e", request_id="r", kind=UsageKind.BILLED, status=ResultStatus.FAILED)
ORDER = JobControl(request_id="r", action=ControlAction.EXPIRE)
RESULT = TranslationResult(
    request_id="r", target_language="pt", status=ResultStatus.CANCELLED, texts=[], glossaries=[]
)


def again(message: Any) -> Any:
    return CODEC.decode(CODEC.encode(message), type(message))


@pytest.mark.parametrize("message", [ORDER, RESULT])
def test_a_decoded_message_has_enums_and_a_datum_plain_strings(message):
    assert again(message) == message
    for name in {"status", "action"} & set(message.to_datum()):
        assert type(message.to_datum()[name]) is str
        assert type(getattr(again(message), name)) is type(getattr(message, name)) is not str


def test_rows_of_usage_have_enums_and_their_columns_plain_strings():
    rows = [ROW, dataclasses.replace(ROW, kind=UsageKind.COMPUTE, status=None)]
    datum = UsageBatch(rows).to_datum()
    assert (datum["kind"], datum["status"]) == (["billed", "compute"], ["FAILED", ""])
    assert {type(value) for value in (*datum["kind"], *datum["status"])} == {str}
    assert again(UsageBatch(rows)).events == rows
    assert [type(row.kind) for row in again(UsageBatch(rows)).events] == [UsageKind, UsageKind]


def test_no_status_is_none_in_code_and_empty_on_the_wire():
    without = dataclasses.replace(RESULT, status=None)
    assert without.to_datum()["status"] == ""
    assert again(without).status is None


@pytest.mark.parametrize(
    ("message", "field", "limit"),
    [
        (ORDER, "action", "CANCEL, EXPIRE, FAIL, ERASE"),
        (RESULT, "status", "COMPLETED, PARTIAL, FAILED, CANCELLED, EXPIRED"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(message, field, limit):
    check_refusal(dataclasses.replace(message, **{field: "DREAMT"}), field, limit)


@pytest.mark.parametrize(
    ("field", "limit"),
    [("kind", "billed, compute"), ("status", "COMPLETED, PARTIAL, FAILED, CANCELLED, EXPIRED")],
)
def test_an_unknown_name_in_a_row_of_usage_is_refused_alike(field, limit):
    check_refusal(UsageBatch([ROW, dataclasses.replace(ROW, **{field: cast(Any, "DREAMT")})]), field, limit)


def check_refusal(message: Message, field: str, limit: str) -> None:
    with pytest.raises(PermanentError) as caught:
        again(message)
    error = caught.value
    assert (error.cause, error.field, error.limit) == (f"unknown_{field}", field, limit)
    assert error.message == f"{field} is 'DREAMT', which is none of {limit}"
    assert error.cure == f"send one of {limit}"


def test_priorities_follow_the_same_rule():
    assert parse_priority("high") is parse_member(Priority, "priority", "high") is Priority.HIGH
    with pytest.raises(PermanentError) as caught:
        parse_priority("soon")
    assert (caught.value.cause, caught.value.limit) == ("unknown_priority", "critical, high, standard")

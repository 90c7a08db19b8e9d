"""Which lane a request leads to, and that of critical priority is refused what is long."""

import pytest

from schemas.codec import Codec
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.lanes import LANES_OF, Lane, lane_of, lanes_up_to
from schemas.messages import Job, SegmentBatch
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import CONTROL
from stream_apps.pipeline.output_records import WireFormat, batch_records
from tests.unit.stream_apps.test_intake_handler import Intake, read, request


def topic_of(words: int, bulk_words: int = 2000, priority: str = "high") -> str:
    job = Job(priority=priority, words=words)
    key = JobKey("acme", "r")
    batch = SegmentBatch(
        **key._asdict(), batch_number=0, job=job, texts=["A."], gaps=[""], translations=[None], scores=[None]
    )
    asked = InboundRecord("translation.requests.high", 0, 0, None, b"")
    (record,) = batch_records([batch], asked, WireFormat(Codec(), bulk_words=bulk_words))
    return record.topic.removeprefix("translation.batches.default.")


def test_the_lanes_stand_in_the_order_in_which_they_are_served():
    assert list(Lane) == ["critical", "high", "high.bulk", "standard", "standard.bulk"]
    assert [lane.priority for lane in Lane] == ["critical", "high", "high", "standard", "standard"]
    assert LANES_OF[Priority.STANDARD] == (Lane.STANDARD, Lane.STANDARD_BULK)
    assert lanes_up_to(Lane.HIGH_BULK) == (Lane.CRITICAL, Lane.HIGH, Lane.HIGH_BULK)


def test_the_words_of_the_whole_request_choose_the_lane_of_each_of_its_batches():
    assert [topic_of(words) for words in (1, 2000, 2001)] == ["high", "high", "high.bulk"]
    assert topic_of(2001, priority="standard") == "standard.bulk"


def test_critical_has_no_bulk_lane_and_0_words_turn_bulk_lanes_off():
    assert topic_of(50_000, priority="critical") == "critical"
    assert topic_of(50_000, bulk_words=0) == "high"
    assert lane_of(Priority.STANDARD, 10, 0) is Lane.STANDARD


@pytest.mark.parametrize(("most", "is_refused"), [(6, True), (7, False), (0, False)])
def test_a_critical_request_that_is_too_long_is_refused_with_the_cure(most, is_refused):
    intake = Intake(max_critical_words=most)
    outputs = intake.take(request(), topic="translation.requests.critical")
    orders = read(outputs, CONTROL, JobControl)
    assert [(one.cause, one.field) for one in orders] == [("too_long_for_critical", "priority")] * is_refused
    assert all("has 7 words; send it as high" in one.message for one in orders)


def test_the_same_request_of_high_priority_is_translated():
    outputs = Intake(max_critical_words=6).take(request())
    assert [one.topic for one in outputs] == ["translation.batches.default.high"]

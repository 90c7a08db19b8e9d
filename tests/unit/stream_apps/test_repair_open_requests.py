"""What is lost, what is on its way, what can never be answered: told from the records alone."""

from dataclasses import replace

import pytest

from schemas.codec import Codec
from schemas.events import JobControl
from schemas.messages import Job, SegmentBatch, TranslatedBatch, TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import InboundRecord, erased_header, redrive_header
from schemas.states import ControlAction
from schemas.topics import (
    CONTROL,
    RESULTS,
    TRANSLATED,
    TRANSLATED_DOCUMENTS,
    TopicPlan,
    batches_topic,
    documents_topic,
    requests_topic,
)
from stream_apps.repair.low_watermark import low_watermarks
from stream_apps.repair.open_requests import LossPolicy, OpenRequests
from tests.keys import key

CODEC = Codec()
NOW = 1_000_000
LOSS_POLICY = LossPolicy(grace_ms=10_000, most_redrives=3)
TOPIC = requests_topic(Priority.HIGH)


def request(request_id: str, offset: int, at_ms: int = 500_000, revision: int | None = None) -> InboundRecord:
    value = CODEC.encode(TranslationRequest(request_id=request_id, target_language="pt", text="a"))
    headers = redrive_header(revision) if revision else {}
    return InboundRecord(TOPIC, 0, offset, key(request_id).encode(), value, headers, at_ms)


def result(request_id: str, version: int = 1, tenant: str = "default") -> InboundRecord:
    message = TranslationResult(tenant=tenant, request_id=request_id, version=version)
    return InboundRecord(RESULTS, 0, 0, key(request_id, tenant).encode(), CODEC.encode(message))


def compared(*records: InboundRecord, refused=frozenset(), part: int = 0, parts: int = 1) -> OpenRequests:
    found = OpenRequests(CODEC, refused, part, parts)
    for record in records:
        (found.add_result if record.topic == RESULTS else found.add_request)(record)
    return found


def fates(found: OpenRequests, watermark_ms: int = NOW) -> list[tuple[int, str]]:
    found_fates = found.fates(dict.fromkeys(Priority, watermark_ms), LOSS_POLICY)
    return [(request.location.offset, fate) for request, fate in found_fates]


def test_what_has_a_result_is_answered_and_what_has_none_is_lost():
    found = compared(request("a", 1), request("b", 2), result("a"))
    assert fates(found) == [(2, "lost")]
    assert found.counts["answered"] == 1


def test_an_answer_to_another_tenants_request_of_that_id_is_none():
    assert fates(compared(request("a", 1), result("a", tenant="globex"))) == [(1, "lost")]


def test_what_was_stored_no_more_than_the_grace_before_the_watermark_is_on_its_way():
    assert fates(compared(request("a", 1, at_ms=490_000)), 500_001) == [(1, "lost")]
    assert fates(compared(request("a", 1, at_ms=490_001)), 500_001) == [(1, "on_their_way")]


def test_a_redriven_copy_starts_the_wait_anew_and_a_plain_repeat_does_not():
    first, copy = request("a", 1), request("a", 2, at_ms=995_000, revision=1)
    assert fates(compared(first, copy)) == [(1, "on_their_way")]
    assert fates(compared(first, request("a", 2, at_ms=995_000))) == [(1, "lost")]


def test_what_was_sent_again_in_vain_too_often_is_given_up():
    copies = [request("a", 2 + n, revision=1) for n in range(LOSS_POLICY.most_redrives)]
    assert fates(compared(request("a", 1), *copies[:-1])) == [(1, "lost")]
    assert fates(compared(request("a", 1), *copies)) == [(1, "given_up")]


def test_what_was_refused_without_an_answer_and_what_nobody_can_read_is_never_sent_again():
    rubbish = InboundRecord(TOPIC, 0, 2, b"x", b"rubbish")
    found = compared(request("a", 1), rubbish, refused={(TOPIC, 0, 1)})
    assert fates(found) == []
    assert found.counts["unanswerable"] == 2


def test_of_a_reused_id_only_the_first_request_is_sent_again():
    assert fates(compared(request("a", 1), request("a", 2), refused={(TOPIC, 0, 2)})) == [(1, "lost")]


def test_the_id_in_the_request_counts_and_not_the_key_of_its_record():
    record = InboundRecord(TOPIC, 0, 1, b"other", request("a", 1).value, {}, 1)
    assert fates(compared(record, result("a"))) == []


def test_a_correction_is_asked_for_and_answered_on_its_own():
    asked = [request("a", 1), request("a", 2, revision=2)]
    assert fates(compared(*asked, result("a"))) == [(2, "lost")]
    assert fates(compared(*asked, result("a", version=2))) == []


def test_all_parts_together_hold_every_request_once():
    records = [request(f"r{number}", number) for number in range(50)]
    found = [offset for part in range(3) for offset, _ in fates(compared(*records, part=part, parts=3))]
    assert sorted(found) == list(range(50))


def test_where_nothing_waits_the_watermark_is_now():
    assert low_watermarks([], CODEC, TopicPlan(), NOW) == dict.fromkeys(Priority, NOW)


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        (
            batches_topic("default", Priority.HIGH),
            SegmentBatch(request_id="a", batch_number=0, job=Job(accepted_at=7)),
        ),
        (TRANSLATED, TranslatedBatch(request_id="a", batch_number=0, job=Job(accepted_at=7))),
        (TRANSLATED_DOCUMENTS, TranslatedBatch(request_id="a", batch_number=0, job=Job(accepted_at=7))),
        (CONTROL, JobControl(request_id="a", action=ControlAction.FAIL, job=Job(accepted_at=7))),
    ],
)
def test_a_record_under_way_tells_when_its_request_was_stored(topic, message):
    waiting = InboundRecord(topic, 0, 1, b"a", CODEC.encode(message), {}, 900)
    assert low_watermarks([waiting], CODEC, TopicPlan(), NOW)[Priority.HIGH] == 7


def test_a_document_that_waits_for_extraction_counts_from_when_its_request_was_stored():
    waiting = InboundRecord(documents_topic(Priority.HIGH), 0, 1, b"a", b"", {"accepted": b"7"}, 900)
    found = low_watermarks([waiting], CODEC, TopicPlan(), NOW)
    assert (found[Priority.HIGH], found[Priority.CRITICAL]) == (7, NOW)


def test_a_flood_of_standard_requests_does_not_keep_lost_critical_ones_waiting():
    waiting = InboundRecord(requests_topic(Priority.STANDARD), 0, 1, b"a", b"", {}, 900)
    found = low_watermarks([waiting], CODEC, TopicPlan(), NOW)
    assert (found[Priority.CRITICAL], found[Priority.STANDARD]) == (NOW, 900)


def test_an_order_without_a_header_and_rubbish_count_from_their_own_time():
    order = JobControl(request_id="a", action=ControlAction.CANCEL)
    for value in (CODEC.encode(order), b"rubbish"):
        waiting = InboundRecord(CONTROL, 0, 1, b"a", value, {}, 900)
        assert low_watermarks([waiting], CODEC, TopicPlan(), NOW)[Priority.CRITICAL] == 900


def test_an_erased_request_is_closed_with_every_correction_that_was_asked_for():
    erased = replace(result("r1"), headers=erased_header(NOW))
    found = compared(request("r1", 0), request("r1", 1, revision=2), request("r1", 2, revision=4), erased)
    assert fates(found) == []

"""What the other region learns from its topics, without a cluster."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from connectors.memory import InMemoryRequestPlans, InMemorySlots
from deploy.regions.takeover import TakenOver, TakeOver
from schemas.codec import Codec
from schemas.messages import TranslationRequest, TranslationResult
from schemas.plans import RequestPlan
from schemas.records import InboundRecord, redrive_header
from schemas.slots import Arrival, Verdict
from schemas.topics import RESULTS
from stream_apps.pipeline.deduplication import payload_fingerprint
from tests.keys import key, revision

CODEC = Codec()
HIGH, STANDARD = "translation.requests.high", "translation.requests.standard"


def request(request_id: str, tenant: str = "default") -> TranslationRequest:
    return TranslationRequest(
        tenant=tenant, request_id=request_id, text=f"Text of {request_id}.", target_language="pt"
    )


def sent(topic: str, partition: int, offset: int, request_id: str, tenant: str = "default") -> InboundRecord:
    value = CODEC.encode(request(request_id, tenant))
    return InboundRecord(topic, partition, offset, key(request_id, tenant).encode(), value)


class Region:
    """Topics in memory; every partition ends at offset 10."""

    def __init__(self, *records: InboundRecord) -> None:
        self.records = records
        self.slots, self.plans = InMemorySlots(), InMemoryRequestPlans()

    def take_over(self) -> TakenOver:
        def read(topic: str) -> Iterator[list[InboundRecord]]:
            if found := [record for record in self.records if record.topic == topic]:
                yield found

        work = TakeOver(
            read, lambda _: {0: 10, 1: 10}, self.slots, self.plans, CODEC, lambda *_: None, own_tenants=("acme",)
        )
        return asyncio.run(work.run())

    def was_seen(self, request_id: str, tenant: str = "default") -> str | None:
        (plan,) = asyncio.run(self.plans.look_up([key(request_id, tenant)]))
        return plan.fingerprint if plan else None


def answer(request_id: str, offset: int = 0, version: int = 1, tenant: str = "default") -> InboundRecord:
    result = TranslationResult(tenant=tenant, request_id=request_id, version=version)
    return InboundRecord(RESULTS, 0, offset, result.key.encode(), CODEC.encode(result))


def test_intake_begins_at_the_first_request_of_each_partition_that_has_no_answer() -> None:
    region = Region(
        *(
            sent(HIGH, 0, 3, "done"),
            sent(HIGH, 0, 4, "open"),
            sent(HIGH, 0, 5, "later"),
        ),
        *(sent(STANDARD, 1, 7, "done-too"), answer("done"), answer("done-too", 1)),
    )
    found = region.take_over()
    assert (found.answered, found.open) == (2, 2)
    assert (found.begins[HIGH, 0], found.begins[HIGH, 1], found.begins[STANDARD, 1]) == (4, 10, 10)


def test_an_answered_request_is_skipped_by_intake_and_never_answered_again() -> None:
    region = Region(sent(HIGH, 0, 3, "done"), answer("done"))
    region.take_over()
    assert region.was_seen("done") == payload_fingerprint(request("done"))
    late = Arrival(revision("done"), "v1/1", 0, 1, b"late", "translation.translated-0-1")
    assert region.slots.decide([late])[0].verdict is Verdict.ANSWERED


def test_an_answer_to_one_tenant_leaves_anothers_request_of_that_id_open() -> None:
    region = Region(sent(HIGH, 0, 3, "done", "globex"), sent(HIGH, 0, 4, "done"), answer("done"))
    assert region.take_over().begins[HIGH, 0] == 3
    assert (region.was_seen("done") is None, region.was_seen("done", "globex")) == (False, None)


def test_requests_of_a_tenants_own_topics_are_begun_anew_as_that_tenants() -> None:
    topic = "translation.requests.acme.high"
    region = Region(sent(topic, 0, 4, "a"), sent(topic, 0, 5, "b"), answer("b", tenant="acme"))
    assert region.take_over().begins[topic, 0] == 4
    assert region.was_seen("b", "acme") is not None


def test_what_the_lost_region_had_begun_is_begun_anew() -> None:
    region = Region(sent(HIGH, 0, 3, "open"))
    asyncio.run(region.plans.note({key("open"): RequestPlan(fingerprint="x")}))
    # Its completer was on the way when the region was lost.
    region.slots.decide([Arrival(revision("open"), "v1/1", 0, 1, b"old", "translation.translated-0-1")])
    region.take_over()
    assert region.was_seen("open") is None
    new = Arrival(revision("open"), "v1/1", 0, 1, b"new", "translation.translated-0-9")
    assert region.slots.decide([new])[0].slots == (b"new",)


def test_a_correction_that_is_still_owed_does_not_open_the_first_answer_again() -> None:
    again = replace(sent(HIGH, 0, 6, "sent-twice"), headers=redrive_header(2))
    region = Region(sent(HIGH, 0, 3, "sent-twice"), again, answer("sent-twice"))
    assert region.take_over().begins[HIGH, 0] == 6
    assert region.was_seen("sent-twice") is not None


def test_a_correction_answers_the_first_request_too_whose_record_may_be_compacted_away() -> None:
    region = Region(sent(HIGH, 0, 3, "corrected"), answer("corrected", version=2))
    assert region.take_over().open == 0
    assert region.slots.answered([revision("corrected", 1), revision("corrected", 2)]) == [
        True,
        True,
    ]


def test_a_result_whose_text_was_erased_still_answers() -> None:
    region = Region(sent(HIGH, 0, 3, "erased"), InboundRecord(RESULTS, 0, 0, b"default/erased", None))
    assert region.take_over().open == 0


def test_what_is_no_request_does_not_stop_it() -> None:
    region = Region(InboundRecord(HIGH, 0, 2, b"x", b"rubbish"), sent(HIGH, 0, 3, "open"))
    assert region.take_over().begins[HIGH, 0] == 3


def test_a_take_over_may_be_repeated() -> None:
    region = Region(sent(HIGH, 0, 3, "done"), sent(HIGH, 0, 4, "open"), answer("done"))
    assert region.take_over() == region.take_over()


def test_no_version_makes_it_write_markers_without_end() -> None:
    region = Region(sent(HIGH, 0, 3, "done"), answer("done", version=2**31 - 1), answer("other", 1, version=-1))
    assert region.take_over().open == 0

"""What the other region learns from its topics, without a cluster."""

import asyncio
from dataclasses import replace

from connectors.memory import InMemorySeenRequests, InMemorySlots
from deploy.regions.takeover import TakeOver
from schemas.codec import Codec
from schemas.messages import TranslationRequest, TranslationResult
from schemas.records import InboundRecord, redrive_header
from schemas.slots import Arrival, RequestRevision, Verdict
from schemas.topics import RESULTS
from stream_apps.pipeline.deduplication import payload_fingerprint

CODEC = Codec()
HIGH, STANDARD = "translation.requests.high", "translation.requests.standard"


def request(request_id):
    return TranslationRequest(request_id=request_id, text=f"Text of {request_id}.", target_language="pt")


def asked(topic, partition, offset, request_id):
    return InboundRecord(topic, partition, offset, request_id.encode(), CODEC.encode(request(request_id)))


class Region:
    """Topics in memory; every partition ends at offset 10."""

    def __init__(self, *records):
        self.records = records
        self.slots, self.seen = InMemorySlots(), InMemorySeenRequests()

    def take_over(self):
        def read(topic):
            if found := [record for record in self.records if record.topic == topic]:
                yield found

        work = TakeOver(read, lambda _: {0: 10, 1: 10}, self.slots, self.seen, CODEC, 60, lambda *_: None)
        return asyncio.run(work.run())

    def was_seen(self, request_id):
        return asyncio.run(self.seen.look_up(request_id))


def answer(request_id, offset=0, version=1):
    result = TranslationResult(request_id=request_id, version=version)
    return InboundRecord(RESULTS, 0, offset, request_id.encode(), CODEC.encode(result))


def test_intake_begins_at_the_first_request_of_each_partition_that_has_no_answer():
    region = Region(
        *(asked(HIGH, 0, 3, "done"), asked(HIGH, 0, 4, "open"), asked(HIGH, 0, 5, "later")),
        *(asked(STANDARD, 1, 7, "done-too"), answer("done"), answer("done-too", 1)),
    )
    found = region.take_over()
    assert (found.answered, found.open) == (2, 2)
    assert (found.begins[HIGH, 0], found.begins[HIGH, 1], found.begins[STANDARD, 1]) == (4, 10, 10)


def test_an_answered_request_is_skipped_by_intake_and_never_answered_again():
    region = Region(asked(HIGH, 0, 3, "done"), answer("done"))
    region.take_over()
    assert region.was_seen("done") == payload_fingerprint(request("done"))
    late = Arrival(RequestRevision("done"), "v1/1", 0, 1, b"late", "translation.translated-0-1")
    assert region.slots.decide([late])[0].verdict is Verdict.ANSWERED


def test_what_the_lost_region_had_begun_is_begun_anew():
    region = Region(asked(HIGH, 0, 3, "open"))
    asyncio.run(region.seen.mark({"open": "x"}, 60))
    # Its completer was on the way when the region was lost.
    region.slots.decide([Arrival(RequestRevision("open"), "v1/1", 0, 1, b"old", "translation.translated-0-1")])
    region.take_over()
    assert region.was_seen("open") is None
    new = Arrival(RequestRevision("open"), "v1/1", 0, 1, b"new", "translation.translated-0-9")
    assert region.slots.decide([new])[0].slots == (b"new",)


def test_a_correction_that_is_still_owed_does_not_open_the_first_answer_again():
    again = replace(asked(HIGH, 0, 6, "asked-twice"), headers=redrive_header(2))
    region = Region(asked(HIGH, 0, 3, "asked-twice"), again, answer("asked-twice"))
    assert region.take_over().begins[HIGH, 0] == 6
    assert region.was_seen("asked-twice") is not None


def test_a_correction_answers_the_first_request_too_whose_record_may_be_compacted_away():
    region = Region(asked(HIGH, 0, 3, "corrected"), answer("corrected", version=2))
    assert region.take_over().open == 0
    assert region.slots.answered([RequestRevision("corrected", 1), RequestRevision("corrected", 2)]) == [
        True,
        True,
    ]


def test_a_result_whose_text_was_erased_still_answers():
    region = Region(asked(HIGH, 0, 3, "erased"), InboundRecord(RESULTS, 0, 0, b"erased", None))
    assert region.take_over().open == 0


def test_what_is_no_request_does_not_stop_it():
    region = Region(InboundRecord(HIGH, 0, 2, b"x", b"rubbish"), asked(HIGH, 0, 3, "open"))
    assert region.take_over().begins[HIGH, 0] == 3


def test_a_take_over_may_be_repeated():
    region = Region(asked(HIGH, 0, 3, "done"), asked(HIGH, 0, 4, "open"), answer("done"))
    assert region.take_over() == region.take_over()


def test_no_version_makes_it_write_markers_without_end():
    region = Region(asked(HIGH, 0, 3, "done"), answer("done", version=2**31 - 1), answer("other", 1, version=-1))
    assert region.take_over().open == 0
